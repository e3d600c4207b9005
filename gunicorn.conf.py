"""gunicorn's own settings, read by itself. Its lines go through the allow-list of orderhub/logs.py too.

Its access log stays off: a line of it would hold an address as it was typed. orderhub/requestids.py writes one line for
each request, with the route instead.
"""

accesslog = None
logconfig_dict = {
    "formatters": {
        "generic": {"()": "orderhub.logs.EventFormatter"},
    },
}
