"""Pages as a viewer shows them; tests that need it skip where poppler is not installed."""

import io
import shutil
import subprocess

import pytest
from PIL import Image


def rendered(pdf: bytes, *, dpi: int = 203, page: int = 1) -> Image.Image:
    """One page in grey."""
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm (Debian: poppler-utils) is not installed")
    wish = ["pdftoppm", "-r", str(dpi), "-gray", "-f", str(page), "-l", str(page), "-singlefile", "-"]
    drawn = subprocess.run(wish, input=pdf, capture_output=True, check=True, timeout=60)
    return Image.open(io.BytesIO(drawn.stdout)).convert("L")
