"""What the scripts that drive a Python client share: where OrderHub is, and a line of JSON a step."""

import json
import os

BASE_URL, API_KEY, API_SECRET = (os.environ[name] for name in ("BASE_URL", "API_KEY", "API_SECRET"))
GIVEN = json.loads(os.environ["GIVEN"])


def step(name, do):
    """Do it, and say what came of it."""
    try:
        result = do()
    except Exception as error:
        print(json.dumps({"step": name, "ok": False, "error": f"{type(error).__name__}: {error}"[:600]}), flush=True)
        return None
    print(json.dumps({"step": name, "ok": True, "result": result}, default=str), flush=True)
    return result
