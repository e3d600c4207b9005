"""Files of one test do not meet those of another: ids start again where a database is rolled back."""

import shutil
from pathlib import Path

import pytest
from django.core.files.storage import storages


@pytest.fixture(autouse=True)
def no_old_files():
    _clear()
    yield
    _clear()


def _clear() -> None:
    for alias in ("labels", "customization"):
        shutil.rmtree(Path(storages[alias].location), ignore_errors=True)
