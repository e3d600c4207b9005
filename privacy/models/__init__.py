"""Proof without values: certificates, who looked, what happened, and the keys that erasure destroys."""

from privacy.models.access import AccessLog, AccessReview
from privacy.models.certificate import ErasureCertificate
from privacy.models.event import SecurityChain, SecurityEvent
from privacy.models.key import DataKey
from privacy.models.request import PersonalDataRequest
from privacy.models.sweep import SweepState

__all__ = [
    "AccessLog",
    "AccessReview",
    "DataKey",
    "ErasureCertificate",
    "PersonalDataRequest",
    "SecurityChain",
    "SecurityEvent",
    "SweepState",
]
