"""Accounts and stores. An account is one selling partner in one region; a store is one order source of it."""

from stores.models.account import (
    AUTHORIZATION_DAYS,
    AccountStatus,
    AmazonAccount,
    AuthorizationAttempt,
    ClientSecretSeen,
    ConnectionDraft,
    DigestReceipt,
    Merchant,
    RateBucket,
    UnconnectedOrder,
)
from stores.models.settings import MAPPED_FIELDS, MOST_DELAY_MINUTES, PRODUCT_POLICIES, CustomFieldSource
from stores.models.store import BigCommerceCredentials, CanonicalStatus, FeatureGrant, MarketplaceStatus, Store

__all__ = [
    "AUTHORIZATION_DAYS",
    "MAPPED_FIELDS",
    "MOST_DELAY_MINUTES",
    "PRODUCT_POLICIES",
    "AccountStatus",
    "AmazonAccount",
    "AuthorizationAttempt",
    "BigCommerceCredentials",
    "CanonicalStatus",
    "ClientSecretSeen",
    "ConnectionDraft",
    "CustomFieldSource",
    "DigestReceipt",
    "FeatureGrant",
    "MarketplaceStatus",
    "Merchant",
    "RateBucket",
    "Store",
    "UnconnectedOrder",
]
