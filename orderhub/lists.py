"""What all our lists share: read-only rows, filters as plain selects above the table, no count of everything."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models

TEMPLATE = "admin/oh_list.html"
MOST_SEARCHED = 100  # characters
MOST_DIGITS = 19  # what a column of ids can hold


def _numbers(texts: Iterable[str]) -> list[str]:
    """Those that can be an id; whatever else was sent is left out."""
    return [text for text in texts if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS]


def ids_of(text: str) -> list[int]:
    """`1,2,3`, as it stands in an address, to numbers, each once; anything else is left out."""
    return list(dict.fromkeys(map(int, _numbers(text.split(",")))))


class ChoiceFilter(ABC, admin.SimpleListFilter):
    """A filter shown as a select. Subclasses say `title`, `parameter_name`, `lookups` and `narrow`."""

    in_bar = True  # False: the list shows it in another way, such as tabs
    in_more = False  # True: folded away with the others that are seldom used
    always = False  # True: one of its choices always holds, there is no "all"
    as_text = False  # True: typed instead of chosen; see TextFilter

    @abstractmethod
    def narrow(self, rows, value: str, request):
        """The rows that a known choice leaves."""

    def queryset(self, request, queryset):
        known = {str(choice) for choice, _name in self.lookup_choices}
        value = self.value()
        return self.narrow(queryset, value, request) if value in known else queryset


class ColumnFilter(ChoiceFilter):
    """The codes of one column. Subclasses say `title`, `parameter_name` and `codes`; `column` where it goes by another name."""

    codes: type[models.TextChoices]
    column = ""

    def lookups(self, request, model_admin):
        return self.codes.choices

    def narrow(self, rows, value, request):
        return rows.filter(**{self.column or self.parameter_name: value})


class TextFilter(ChoiceFilter):
    """A filter into which an exact value is typed. Subclasses say `offered` where it is not always there."""

    as_text = True
    hint = ""  # what may be typed
    MOST = 120  # characters

    def offered(self, request) -> bool:
        return True

    def lookups(self, request, model_admin):
        self._offered = self.offered(request)
        return ()

    def has_output(self):
        return self._offered

    def queryset(self, request, queryset):
        value = (self.value() or "").strip()[: self.MOST].replace("\0", "")
        return self.narrow(queryset, value, request) if value else queryset


class ShortSearch:
    """For lists with a search box. Each word is a condition of its own for every column: hundreds of them make a
    statement no database takes. What is typed beyond MOST_SEARCHED characters does not count."""

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term[:MOST_SEARCHED])


class ReadOnlyAdmin(ShortSearch, admin.ModelAdmin):
    """Rows that come from elsewhere: shown to those who may view them, never added, changed or deleted by hand."""

    change_list_template = TEMPLATE
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    preserve_filters = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def response_action(self, request, queryset):
        """Rows are chosen by number: whatever else was sent as one chooses nothing."""
        request.POST = request.POST.copy()
        request.POST.setlist(ACTION_CHECKBOX_NAME, _numbers(request.POST.getlist(ACTION_CHECKBOX_NAME)))
        return super().response_action(request, queryset)

    def lookup_allowed(self, lookup, value, request=None):
        """Only the filters' own parameters: any other lookup could be used to guess values."""
        return lookup in {found.parameter_name for found in self.list_filter}
