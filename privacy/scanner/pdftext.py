"""The text of a PDF as a reader shows it: a subsetted font's codes mean nothing without its table."""

import io
import logging
from collections.abc import Iterator

from pypdf import PdfReader

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings quote the document
log = logging.getLogger("orderhub.privacy")


def pdf_texts(data: bytes) -> Iterator[str]:
    """The text of all pages, then what the document says of itself; ends where it is damaged, at once where it is none."""
    start = data.find(b"%PDF")
    if start < 0:
        return
    try:
        reader = PdfReader(io.BytesIO(data[start:]))
        yield "\n".join(page.extract_text() for page in reader.pages)
        yield "\n".join(str(value) for value in (reader.metadata or {}).values())
    except Exception as error:  # a damaged file fails in any way at all, and whoever scans goes on to the next
        log.info("pdf_unreadable", extra={"error": type(error).__name__})
