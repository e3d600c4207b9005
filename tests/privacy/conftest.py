"""Label files of one test do not meet those of another: ids start again where a database is rolled back."""

import shutil
from pathlib import Path

import pytest
from django.core.files.storage import storages


@pytest.fixture(autouse=True)
def no_old_files():
    shutil.rmtree(Path(storages["labels"].location), ignore_errors=True)
    yield
    shutil.rmtree(Path(storages["labels"].location), ignore_errors=True)
