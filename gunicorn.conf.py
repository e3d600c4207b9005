"""gunicorn's own settings, read by itself. Its lines go through the allow-list of orderhub/logs.py too.

Its access log stays off: a line of it would hold an address as it was typed. orderhub/requestids.py writes one line for
each request, with the route instead.
"""

import os

accesslog = None
# A page never holds the database for longer, whatever filter somebody thought of. Workers of the queue have no limit.
raw_env = ["PGOPTIONS=" + os.environ.get("PGOPTIONS", "-c statement_timeout=5s")]
logconfig_dict = {
    "formatters": {
        "generic": {"()": "orderhub.logs.EventFormatter"},
    },
}
