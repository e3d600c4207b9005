"""What an error report says: where in the code, never with what. Locals, form fields and messages may hold a person.

Django's own report quotes all of them, wherever it is shown, mailed or handed to a tracker.
"""

from django.conf import settings
from django.views.debug import ExceptionReporter


class BareReporter(ExceptionReporter):
    """The names of the errors and of our files and functions. In debug mode, which production refuses, Django's own."""

    def get_traceback_data(self) -> dict:
        if settings.DEBUG:
            return super().get_traceback_data()
        frames = self.get_traceback_frames()
        kept = ("type", "filename", "function", "lineno", "tb", "id")
        return {
            "exception_type": getattr(self.exc_type, "__name__", ""),
            "frames": [{name: frame[name] for name in kept if name in frame} for frame in frames],
        }

    def get_traceback_html(self) -> str:
        return super().get_traceback_html() if settings.DEBUG else f"<pre>{self.get_traceback_text()}</pre>"

    def get_traceback_text(self) -> str:
        if settings.DEBUG:
            return super().get_traceback_text()
        told = self.get_traceback_data()
        lines = [f"{frame['filename']}:{frame['lineno']} {frame['function']}" for frame in told["frames"]]
        return "\n".join([told["exception_type"], *lines])
