"""Runs a client's script against the live server and reads what it says: a line of JSON a step."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from orderhub import apikeys
from tests.clients import installing

HERE = Path(__file__).parent
PATIENCE_S = 60


@dataclass(frozen=True)
class Told:
    """What a client made of the answers."""

    results: dict
    failed: dict[str, str]

    def __getitem__(self, step: str):
        return self.results[step]


def drive(script: str, base_url: str, token: str, **given) -> Told:
    """Run `drive_….py`, `.mjs` or `.cjs` with the key in its environment; `given`: what the script needs to know.

    Skips the test where the clients cannot be installed.
    """
    try:
        command, folder = _how(script)
    except installing.Unavailable as error:
        pytest.skip(str(error))
    key, secret = apikeys.basic_pair(token)
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "CLIENTS": str(folder), "BASE_URL": base_url,
        "API_KEY": key, "API_SECRET": secret, "GIVEN": json.dumps(given),
    }  # fmt: skip
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line]
    failed = {line["step"]: line["error"] for line in lines if not line["ok"]}
    assert ran.returncode == 0, f"{failed}\n{ran.stderr[-3000:]}"
    return Told({line["step"]: line["result"] for line in lines if line["ok"]}, failed)


def _how(script: str) -> tuple[list[str], Path]:
    if script.endswith(".py"):
        return [sys.executable, str(HERE / script)], installing.for_python()
    return [shutil.which("node") or "node", str(HERE / script)], installing.for_node()
