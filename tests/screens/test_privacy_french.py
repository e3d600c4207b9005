"""The privacy pages as a French officer reads them: whole words, no code, no list without a way back."""

import re

import pytest
from django.urls import reverse

from orderhub.models import JobRun
from orders.templatetags.clockwords import swept
from privacy import audit, requests
from privacy.models.event import EventCode
from privacy.models.request import RequestReason
from tests.factories import make_order, make_user
from tests.privacy.rows import SWEEP, due_order, sweep

pytestmark = pytest.mark.django_db
LOG = reverse("admin:privacy_securityevent_changelist")


@pytest.fixture
def officer(client, noon):
    user = make_user("Privacy officer", language="fr")
    client.force_login(user)
    return user


def words(answer) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\xa0", " ")


def test_the_log_counts_events_and_names_outcome_subject_and_reason_in_words(client, officer):
    audit.record(EventCode.ERASURE_ASKED, user=officer, kind="erasure_request", ids=[7], reason="authority")
    audit.record(EventCode.PERSON_REVEALED, user=officer, kind="order", ids=[3], reason="buyer_contact")
    page = words(client.get(LOG))
    assert "2 événements" in page and "2 journal de sécurité" not in page
    assert page.count("réussi") == 2
    assert "demande d'expurgation 7" in page.replace("&#x27;", "'") and "Une autorité l'a ordonné" in page.replace(
        "&#x27;", "'"
    )
    assert "erasure_request" not in page and "buyer_contact" not in page


def test_one_event_has_a_title_and_no_button_to_a_history(client, officer):
    event = audit.record(EventCode.EXPORTED, user=officer, kind="count", ids=[12])
    page = words(client.get(reverse("admin:privacy_securityevent_change", args=[event.pk])))
    assert f"Événement n° {event.pk}" in page and "commandes dans le fichier" in page
    assert "Historique" not in page and "exported" not in page


def test_a_sweep_tells_its_counts_in_the_reader_s_language(client, officer):
    due_order()
    sweep()
    assert JobRun.objects.filter(job=SWEEP, outcome__startswith="1 redacted").exists()
    page = words(client.get(reverse("admin:privacy_lag")))
    assert "commandes expurgées : 1, documents détruits : 0, échecs : 0" in page and "1 redacted" not in page
    assert swept("clock ahead of Amazon's") == "clock ahead of Amazon's"


def test_the_list_of_certificates_leads_back_to_the_ledger(client, officer):
    page = client.get(reverse("admin:privacy_erasurecertificate_changelist")).content.decode()
    assert all(reverse(f"admin:privacy_{name}") in page for name in ("lag", "preview", "ledger"))


def test_a_refused_request_warns_of_nothing_and_is_feminine(client, officer, noon):
    order = make_order()
    asked = requests.ask([order.pk], RequestReason.BUYER, by=make_user("Support"), now=noon)
    page = reverse("admin:privacy_personaldatarequest_change", args=[asked.pk])
    assert "commande reste à expédier" in words(client.get(page))
    requests.refuse(asked, by=officer, now=noon)
    told = words(client.get(page))
    assert "refusée" in told and "reste à expédier" not in told


def test_an_order_erased_on_request_does_not_claim_its_date_had_come(noon):
    order = make_order(pii_state="redacted", redacted_at=noon, redaction_rule="request")
    assert "was erased on request. Send it from Seller Central" in order.why_not_shippable()
