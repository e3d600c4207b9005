"""The form of a rule: rows of criteria and actions as people type them. It only parses; orders/rules decides."""

from collections.abc import Mapping
from contextlib import suppress

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orders.models import AutomationRule
from orders.rules import reading, words
from orders.rules.actions import ACTIONS
from orders.rules.conditions import TESTS, WITHOUT_VALUE, tests_of
from orders.rules.engine import MOST_ACTIONS, MOST_CRITERIA, MOST_GROUPS
from orders.rules.facts import FACTS

SPARE_ROWS = 2
MOST_TYPED = 2000
UNREADABLE = (KeyError, TypeError, AttributeError)
FACT_GROUPS = (
    (_("Where it goes"), ("country", "state", "city", "postcode", "international", "address_type", "not_roman")),
    (_("Where it comes from"), ("store", "marketplace", "source", "weekday", "hour", "program", "payment_method")),
    (_("Amounts"), ("order_total", "item_total", "shipping_paid", "currency", "weight", "units", "lines")),
    (_("Delivery"), ("service_level", "requested_service", "ship_by_hours")),
    (_("Kind"), ("gift", "business", "prime", "replacement", "cancel_requested", "customised")),
    (_("Work"), ("tags", "assigned", "custom_1", "custom_2", "custom_3")),
)
LINE_FACTS = tuple(code for code, fact in FACTS.items() if fact.of_line)
ACTION_GROUPS = (
    (_("Work"), ("tag", "untag", "assign", "note", "alert", "own_status", "custom_1", "custom_2", "custom_3")),
    (_("Hold"), ("hold", "hold_hours", "hold_days", "hold_weekday", "hold_before_deadline")),
    (_("Parcel"), ("carrier", "service", "package", "size", "weight", "confirmation", "ship_from", "no_notice")),
)


class Told(forms.Select):
    """A select whose options say, for the script, what may follow: tests of a fact, the list of its values."""

    def __init__(self, follows: Mapping[str, Mapping[str, str]]):
        super().__init__(attrs={"autocomplete": "off"})
        self.follows = follows

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        option["attrs"] |= {f"data-{key}": told for key, told in self.follows.get(str(value), {}).items()}
        return option


def _text() -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": MOST_TYPED})


class CriterionForm(forms.Form):
    """One row. A row without a fact and a value does not count. `told`: the row as a rule keeps it, once clean.

    `group`: 0 for the order, from 1 on for its lines; all rows of one group are asked of the same line.
    """

    use_required_attribute = False

    group = forms.IntegerField(min_value=0, max_value=MOST_GROUPS, widget=forms.HiddenInput)
    fact = forms.ChoiceField(label=_("fact"), required=False)
    test = forms.ChoiceField(label=_("test"), choices=[("", "–"), *words.TEST_WORDS.items()], required=False)
    value = forms.CharField(label=_("value"), max_length=MOST_TYPED, required=False, widget=_text())

    def __init__(self, *args, options, **kwargs):
        super().__init__(*args, **kwargs)
        self.options, self.told = options, None
        of_lines = self.group_number() > 0
        groups = [(_("Line"), LINE_FACTS)] if of_lines else FACT_GROUPS
        named = [(title, [(code, capfirst(words.FACT_WORDS[code])) for code in codes]) for title, codes in groups]
        follows = {
            code: {"tests": " ".join(TESTS[fact.kind]), "list": options.list_of(code)} for code, fact in FACTS.items()
        }
        self.fields["fact"].widget = Told(follows)
        self.fields["fact"].choices = [("", "–"), *named]
        self.fields["test"].widget.attrs["autocomplete"] = "off"

    def group_number(self) -> int:
        """The group of this row, bound or not."""
        return _group_number(str(self["group"].value() or 0))

    def clean(self):
        typed = super().clean()
        fact, test, text = typed.get("fact", ""), typed.get("test", ""), typed.get("value", "").strip()
        if self.errors or not (fact or text):
            return typed
        if not fact:
            raise forms.ValidationError(_now("Choose what “%(value)s” is compared with.") % {"value": text[:40]})
        if test not in tests_of(fact):
            raise forms.ValidationError(_which_tests(fact))
        self.told = {"fact": fact, "test": test, "value": None}
        if test not in WITHOUT_VALUE:
            try:
                self.told["value"] = reading.value(FACTS[fact].kind, test, text, self.options.get(fact, {}))
            except reading.Unreadable as error:
                raise forms.ValidationError(str(error)) from None
        return typed


def _group_number(text: str) -> int:
    """A group's number as it was posted; 0, the order's own, for anything that is none."""
    good = text.isascii() and text.isdigit() and len(text) < 4
    return int(text) if good and int(text) <= MOST_GROUPS else 0


def _which_tests(fact: str) -> str:
    names = ", ".join(f"“{words.TEST_WORDS[test]}”" for test in tests_of(fact))
    return _now("“%(fact)s” can be tested with: %(tests)s.") % {"fact": words.FACT_WORDS[fact], "tests": names}


class ActionForm(forms.Form):
    """One row. A row without an action and a value does not count. `told`: as a rule keeps it, once clean."""

    use_required_attribute = False

    do = forms.ChoiceField(label=_("action"), required=False)
    value = forms.CharField(label=_("value"), max_length=MOST_TYPED, required=False, widget=_text())

    def __init__(self, *args, options, **kwargs):
        super().__init__(*args, **kwargs)
        self.options, self.told = options, None
        named = [
            (title, [(code, capfirst(words.ACTION_WORDS[code])) for code in codes]) for title, codes in ACTION_GROUPS
        ]
        follows = {
            code: {"list": options.list_of(code)} | ({"alone": "1"} if action.kind == "none" else {})
            for code, action in ACTIONS.items()
        }
        self.fields["do"].widget = Told(follows)
        self.fields["do"].choices = [("", "–"), *named]

    def clean(self):
        typed = super().clean()
        code, text = typed.get("do", ""), typed.get("value", "").strip()
        if self.errors or not (code or text):
            return typed
        if not code:
            raise forms.ValidationError(_now("Choose what to do with “%(value)s”.") % {"value": text[:40]})
        action = ACTIONS[code]
        try:
            kept = reading.deed(action.kind, action.most, text, self.options.get(code, {}))
        except reading.Unreadable as error:
            raise forms.ValidationError(str(error)) from None
        self.told = {"do": code, "value": kept}
        return typed


def _formset(form, most: int):
    return forms.formset_factory(form, extra=0, max_num=most, absolute_max=most, validate_max=True)


CriteriaFormSet = _formset(CriterionForm, MOST_CRITERIA)
ActionsFormSet = _formset(ActionForm, MOST_ACTIONS)


class HeadForm(forms.ModelForm):
    """What stands above the rows. `as_loaded`: when the rule had last been changed as this form was made."""

    as_loaded = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = AutomationRule
        fields = ["name", "stops"]
        labels = {"stops": _("No further rule after this one, where it fires")}
        widgets = {"name": forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})}


class RuleForm:
    """Head, criteria and actions together. Not bound: what the rule holds, with spare rows."""

    def __init__(self, rule: AutomationRule, options, data=None):
        self.rule, self.options, self.data = rule, options, data
        told = {"as_loaded": rule.changed_at.isoformat() if rule.pk else ""}
        self.head = HeadForm(data, instance=rule, initial=told)
        same = {"form_kwargs": {"options": options}}
        if data is None:
            self.scopes, rows = _rows(rule, options)
            self.criteria = CriteriaFormSet(prefix="c", initial=rows, **same)
            self.actions = ActionsFormSet(prefix="a", initial=_deeds(rule, options), **same)
        else:
            self.scopes = _posted_scopes(data)
            self.criteria = CriteriaFormSet(data, prefix="c", **same)
            self.actions = ActionsFormSet(data, prefix="a", **same)

    def with_more(self, wanted: str) -> "RuleForm":
        """As posted, with empty rows: `group` for one more group of lines, `actions`, or the number of a group."""
        form = RuleForm(self.rule, self.options)
        form.head = HeadForm(initial={name: self.data.get(name, "") for name in ("name", "as_loaded")})
        form.head.initial["stops"] = "stops" in self.data
        rows = _raw(self.criteria, ("group", "fact", "test", "value"))
        deeds = _raw(self.actions, ("do", "value"))
        scopes = dict(self.scopes)
        if wanted == "actions":
            deeds += [{}] * SPARE_ROWS
        else:
            number = max(scopes, default=0) + 1 if wanted == "group" else _group_number(wanted)
            if number:
                scopes.setdefault(number, "any")
            rows += [{"group": number}] * SPARE_ROWS
        same = {"form_kwargs": {"options": self.options}}
        form.scopes = scopes
        form.criteria = CriteriaFormSet(prefix="c", initial=rows[:MOST_CRITERIA], **same)
        form.actions = ActionsFormSet(prefix="a", initial=deeds[:MOST_ACTIONS], **same)
        return form

    def groups(self) -> list[dict]:
        """For the template: the rows about the order, then each group about its lines with what it asks of them."""
        found = [{"number": 0, "scope": "", "forms": []}]
        found += [{"number": number, "scope": scope, "forms": []} for number, scope in sorted(self.scopes.items())]
        by_number = {group["number"]: group for group in found}
        for form in self.criteria:
            by_number.get(form.group_number(), found[0])["forms"].append(form)
        return found

    def is_valid(self) -> bool:
        """Every part is asked, so that all errors are shown at once."""
        parts = [self.head.is_valid(), self.criteria.is_valid(), self.actions.is_valid()]
        if all(parts) and not any(form.told for form in self.actions):
            self.head.add_error(None, _now("Choose at least one action."))
            return False
        return all(parts)

    @property
    def wrong(self) -> bool:
        """Whether something of what was posted cannot be taken as it is."""
        parts = (self.head, self.criteria, self.actions)
        return self.data is not None and not all(part.is_valid() for part in parts)

    def fill(self, rule: AutomationRule) -> AutomationRule:
        """Put what was typed on the rule in hand; not saved."""
        rule.name, rule.stops = self.head.cleaned_data["name"], self.head.cleaned_data["stops"]
        groups: dict[int, list[dict]] = {}
        for form in self.criteria:
            if form.told:
                groups.setdefault(form.cleaned_data["group"], []).append(form.told)
        rule.criteria = [
            {"lines": self.scopes.get(number, "any") if number else "", "criteria": told}
            for number, told in sorted(groups.items())
        ]
        rule.actions = [form.told for form in self.actions if form.told]
        return rule


def _raw(formset, names: tuple[str, ...]) -> list[dict]:
    """What was posted, right or wrong, without the rows left empty."""
    rows = [{name: form[name].value() for name in names} for form in formset]
    return [row for row in rows if any(row[name] for name in names if name != "group")]


def _posted_scopes(data) -> dict[int, str]:
    """What each group asks of the lines, by its number."""
    found = {number: data.get(f"lines-{number}") for number in range(1, MOST_GROUPS + 1)}
    return {number: scope for number, scope in found.items() if scope in words.SCOPE_WORDS}


def _rows(rule: AutomationRule, options) -> tuple[dict[int, str], list[dict]]:
    """A rule's criteria as rows, and spare ones. What cannot be shown, of another version say, is left out."""
    rows: list[dict] = []
    scopes: dict[int, str] = {}
    with suppress(*UNREADABLE):
        for group in rule.criteria:
            number = len(scopes) + 1 if group["lines"] else 0
            if number:
                scopes[number] = group["lines"]
            for told in group["criteria"]:
                with suppress(*UNREADABLE):
                    rows.append(_row(number, told, options))
    scopes = scopes or {1: "any"}
    rows += [{"group": number} for number in (0, *scopes) for _spare in range(SPARE_ROWS)]
    return scopes, rows


def _row(number: int, told: dict, options) -> dict:
    fact = told["fact"]
    has_value = told["test"] not in WITHOUT_VALUE
    value = reading.shown(FACTS[fact].kind, told["value"], options.get(fact, {})) if has_value else ""
    return {"group": number, "fact": fact, "test": told["test"], "value": value}


def _deeds(rule: AutomationRule, options) -> list[dict]:
    rows: list[dict] = []
    with suppress(*UNREADABLE):
        for told in rule.actions:
            with suppress(*UNREADABLE):
                kind, listed = ACTIONS[told["do"]].kind, options.get(told["do"], {})
                rows.append({"do": told["do"], "value": reading.shown(kind, told["value"], listed)})
    return rows + [{}] * SPARE_ROWS
