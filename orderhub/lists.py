"""What all our lists share: read-only rows, filters as plain selects above the table, no count of everything."""

from django.contrib import admin

TEMPLATE = "admin/oh_list.html"


class ChoiceFilter(admin.SimpleListFilter):
    """A filter shown as a select. Subclasses say `title`, `parameter_name`, `lookups` and `narrow`."""

    in_bar = True  # False: the list shows it in another way, such as tabs

    def narrow(self, rows, value: str, request):
        raise NotImplementedError

    def queryset(self, request, queryset):
        known = {str(choice) for choice, _name in self.lookup_choices}
        value = self.value()
        return self.narrow(queryset, value, request) if value in known else queryset


class ReadOnlyAdmin(admin.ModelAdmin):
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

    def lookup_allowed(self, lookup, value, request=None):
        """Only the filters' own parameters: any other lookup could be used to guess values."""
        return lookup in {found.parameter_name for found in self.list_filter}
