"""Staff users, what the jobs did, and the keys of API clients."""

from orderhub import lookups  # noqa: F401  registers __among
from orderhub.models.apikey import ApiKey, ApiUse, IdempotentRequest, RateWindow
from orderhub.models.job import JobLease, JobRun
from orderhub.models.staff import User

__all__ = ["ApiKey", "ApiUse", "IdempotentRequest", "JobLease", "JobRun", "RateWindow", "User"]
