"""Settings of the test run: a folder of its own per process, quiet logs, fast password hashes."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="orderhub-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["VAR_DIR"] = _folder
os.environ["ORDERHUB_ENV"] = "development"
for _name in (
    "SPAPI_BASE_URL",
    "LWA_TOKEN_URL",
    "SELLER_CENTRAL_BASE_URL",
    "BIGCOMMERCE_BASE_URL",
    "EMAIL_URL",
    "ORDERHUB_FAILPOINT",
):
    os.environ.pop(_name, None)
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
else:
    os.environ.pop("DATABASE_URL", None)

from orderhub.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "only-for-tests"
LWA_CLIENT_ID = "test-client"
LWA_CLIENT_SECRET = "test-secret"
DEFAULT_FROM_EMAIL = "service@orderhub.test"
REAL_TIME = False  # tests move the clock by weeks, and put the database back: those of the two gates say otherwise
KILLSWITCH_POLL_S = None  # asked by its own tests: elsewhere the question would be one more query now and then
WHITENOISE_AUTOREFRESH = (
    True  # looks files up when they are asked for: every client of a test would list them all first
)
