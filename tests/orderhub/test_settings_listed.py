"""`.env.example` and the README name every setting the code reads, and no other."""

import re

from django.conf import settings

READ = re.compile(r"env\.\w+\(\s*\"([A-Z_]+)\"")


def _in_code() -> set[str]:
    return set(READ.findall((settings.BASE_DIR / "orderhub" / "settings.py").read_text()))


def test_the_example_file_lists_every_setting():
    text = (settings.BASE_DIR / ".env.example").read_text()
    listed = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert listed == _in_code()


def test_the_readme_lists_every_setting():
    text = (settings.BASE_DIR / "README.md").read_text()
    assert {name for name in _in_code() if f"`{name}`" not in text} == set()
