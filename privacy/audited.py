"""An admin whose history is in the security log too: the code and the id, none of the words."""

from privacy import audit
from privacy.models.event import EventCode


class Audited:
    """Mixin of a ModelAdmin, before it. `added` and `changed`: the codes of its events."""

    added = EventCode.SETTINGS_CHANGED
    changed = EventCode.SETTINGS_CHANGED

    def log_addition(self, request, obj, message):
        entry = super().log_addition(request, obj, message)
        self.tell(request, self.added, obj)
        return entry

    def log_change(self, request, obj, message):
        entry = super().log_change(request, obj, message)
        if message:
            self.tell(request, self.code_of(message), obj)
        return entry

    def log_deletions(self, request, queryset):
        ids, kind = [row.pk for row in queryset], self.opts.model_name  # a list where one row is deleted on its page
        entries = super().log_deletions(request, queryset)
        audit.record(self.changed, request=request, kind=kind, ids=ids, reason="deleted")
        return entries

    def code_of(self, message: list) -> EventCode:
        """Which code a change gets."""
        return self.changed

    @staticmethod
    def tell(request, code: EventCode, obj, reason: str = "") -> None:
        audit.record(code, request=request, kind=obj._meta.model_name, ids=[obj.pk], reason=reason)
