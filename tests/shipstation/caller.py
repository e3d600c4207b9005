"""A client of version 1, as short as what it asks: HTTP Basic, JSON both ways. Every answer must have the rate headers."""

import json
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.api.test_doors import basic
from tests.factories import make_key

RATE = {"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"}


class Caller:
    """Talks to version 1 in-process, with a key of these stores."""

    def __init__(self, *stores, **given):
        self.key, self.token = make_key(*stores, **given)

    def send(self, method: str, path: str, body=None, **query):
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        address = f"/shipstation{path}" + (f"?{urlencode(query)}" if query else "")
        answer = Client().generic(method, address, text, "application/json", headers=basic(self.token))
        assert set(answer.headers) >= RATE, (path, answer.headers)
        return answer

    def get(self, path: str, **query):
        """The JSON of an answer that went well."""
        answer = self.send("GET", path, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, path: str, body=None, **query):
        answer = self.send("POST", path, body, **query)
        assert answer.status_code in {200, 201}, answer.content
        return answer.json()

    def put(self, path: str, body):
        answer = self.send("PUT", path, body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def statements(self, path: str, **query) -> int:
        """How many an answer costs, once the key's use of this minute is noted."""
        self.get(path, **query)
        with CaptureQueriesContext(connection) as captured:
            self.get(path, **query)
        return len(captured)
