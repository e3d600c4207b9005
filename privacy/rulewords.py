"""What each term of erasure counts from, in words. Made into text when shown."""

from django.utils.translation import gettext_lazy as _

from privacy.retention import Rule

RULE_WORDS = {
    Rule.IMPORT.value: _("since import, not shipped with OrderHub"),
    Rule.DELIVERY.value: _("since delivery"),
    Rule.SHIP_DATE.value: _("since the ship date"),
    Rule.LABEL.value: _("since the label was made"),
    Rule.CREATION.value: _("since the shipment was made"),
    Rule.CEILING.value: _("longest term since import"),
    Rule.REQUEST.value: _("asked for"),
}


def since(rule: str) -> str:
    """What a date counts from; the code of a rule this version does not know."""
    return str(RULE_WORDS.get(rule, rule))
