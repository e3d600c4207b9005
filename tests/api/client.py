"""A client of the API, as short as what it asks: keys, JSON both ways, and the usual headers."""

import json
import uuid

from django.test import Client

V1 = "/api/v1/"


class ApiClient:
    """Talks to the native API in-process with one token. Every answer must be JSON."""

    def __init__(self, token: str, **headers: str):
        self.client, self.headers = Client(), {"Authorization": f"Bearer {token}"} | headers

    def send(self, method: str, path: str, body=None, **headers: str):
        """`path`: after /api/v1/. Header names with underscores: `If_Match="…"`."""
        given = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, path if path.startswith("/") else V1 + path, headers=given, **content)

    def get(self, path: str, **headers: str):
        return self.send("GET", path, **headers)

    def post(self, path: str, body=None, **headers: str):
        """A new Idempotency-Key unless one is given."""
        return self.send(
            "POST", path, {} if body is None else body, **({"Idempotency_Key": uuid.uuid4().hex} | headers)
        )

    def patch(self, path: str, body, **headers: str):
        return self.send("PATCH", path, body, **headers)

    def put(self, path: str, body, **headers: str):
        return self.send("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str):
        return self.send("DELETE", path, **headers)
