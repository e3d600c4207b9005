"""How fields of our forms are drawn where Django's own way is too slow."""

from functools import lru_cache

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class CarrierSelect(forms.Select):
    """A select of plain choices, its options drawn once: a template for each option of 200 rows takes seconds."""

    def render(self, name, value, attrs=None, renderer=None) -> SafeString:
        choices = tuple((str(code), str(title)) for code, title in self.choices)
        options = _options(choices, "" if value is None else str(value))
        return format_html(
            "<select{}>{}</select>", flatatt(self.build_attrs(self.attrs, (attrs or {}) | {"name": name})), options
        )


@lru_cache(maxsize=256)
def _options(choices: tuple[tuple[str, str], ...], chosen: str) -> SafeString:
    selected = {True: " selected", False: ""}
    lines = ((code, selected[code == chosen], title) for code, title in choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', lines)
