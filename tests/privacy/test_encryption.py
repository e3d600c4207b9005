"""D2.4: what the database and the disk hold of a person is noise without the record's own key."""

import os
import secrets
from base64 import b64encode

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from orderhub import clock
from orders import notes
from orders.models import OrderNote, OrderPersonalData
from orders.models.person import LATCHED
from privacy import datakeys, keys, rotating
from privacy.fields import CannotDecrypt
from privacy.models import DataKey, SecurityEvent
from tests.factories import make_user
from tests.privacy.rows import FULL, RELAY, bytes_of, due_label, due_order, file_of, person_of, sweep

pytestmark = pytest.mark.django_db
TABLE = OrderPersonalData._meta.db_table


def a_key(name: str) -> str:
    return f"{name}:{b64encode(secrets.token_bytes(32)).decode()}"


def raw(order, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {TABLE} WHERE order_id = %s", [order.pk])
        return cursor.fetchone()[0]


def put(order, column: str, stored: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET {column} = %s WHERE order_id = %s", [stored, order.pk])


def test_no_personal_column_can_be_read_in_the_database(noon):
    order = due_order()
    stored = {column: raw(order, column) for column in LATCHED}
    assert [column for column, text in stored.items() if not text.startswith("oh1:") or FULL[column] in text] == []
    assert {column: getattr(person_of(order), column) for column in LATCHED} == {name: FULL[name] for name in LATCHED}


def test_equal_values_never_look_the_same(noon):
    assert len({raw(due_order(order_number=str(number)), "recipient_name") for number in range(5)}) == 5


def test_a_relay_address_and_a_marker_are_stored_as_they_are(noon):
    order = due_order(person={"buyer_email": RELAY})
    assert raw(order, "buyer_email") == RELAY
    sweep()
    assert raw(order, "recipient_name") == "EXPURGÉ (Amazon)"


def test_no_label_can_be_read_on_the_disk(noon):
    label = due_label()
    assert bytes_of(label).startswith(b"%PDF")
    assert b"%PDF" not in file_of(label).read_bytes()


@pytest.mark.parametrize("column", ["recipient_name", "gift_message"])
def test_one_altered_bit_is_an_error_and_shows_nothing(noon, column):
    order = due_order()
    stored = raw(order, column)
    other = "A" if stored[30] != "A" else "B"
    put(order, column, stored[:30] + other + stored[31:])
    with pytest.raises(CannotDecrypt) as caught:
        person_of(order)
    assert FULL[column] not in str(caught.value)


def test_a_value_moved_to_another_order_or_column_does_not_decrypt(noon):
    one, two = due_order(order_number="1"), due_order(order_number="2")
    put(two, "recipient_name", raw(one, "recipient_name"))
    with pytest.raises(CannotDecrypt):
        person_of(two)
    put(one, "buyer_name", raw(one, "recipient_name"))
    with pytest.raises(CannotDecrypt):
        person_of(one)


def test_r70_a_copy_from_before_the_erasure_cannot_be_read_any_more(noon):
    """L22, L23, L41: remnants in pages, logs and backups that leave the table of keys out."""
    order, label = due_order(), due_label(due_order(order_number="2"))
    copy, file = raw(order, "recipient_name"), file_of(label).read_bytes()
    sweep()
    assert not DataKey.objects.filter(owner=f"order:{order.pk}").exists()
    OrderPersonalData.objects.filter(pk=order.pk).update(marker="", recipient_name="")
    put(order, "recipient_name", copy)  # somebody restores the row
    assert person_of(order).recipient_name == ""
    file_of(label).write_bytes(file)  # and the file
    with pytest.raises(CannotDecrypt):
        bytes_of(label)


def test_a_file_without_its_key_counts_as_missing(noon):
    label = due_label()
    DataKey.objects.filter(owner__startswith="file:").delete()
    with pytest.raises(FileNotFoundError):
        bytes_of(label)


def test_notes_that_stay_can_still_be_read_after_the_erasure(noon):
    order, agent = due_order(), make_user("Support")
    for text in (f"Rang {FULL['recipient_name']}", "Wants it in blue"):
        notes.add(order, text, by=agent, now=clock.now())
    sweep()
    assert sorted(note.text for note in OrderNote.objects.all()) == ["EXPURGÉ (Amazon)", "Wants it in blue"]


def test_all_persons_of_a_list_cost_one_statement(noon, django_assert_num_queries):
    for number in range(12):
        due_order(order_number=str(number))
    with django_assert_num_queries(1):
        assert {person.recipient_name for person in OrderPersonalData.objects.all()} == {FULL["recipient_name"]}


def test_personal_columns_cannot_be_searched(noon):
    due_order()
    for lookup in ("recipient_name", "recipient_name__icontains", "recipient_name__startswith"):
        with pytest.raises(TypeError):
            list(OrderPersonalData.objects.filter(**{lookup: "Ada"}))


def test_where_encryption_is_off_what_is_encrypted_is_read_and_nothing_new_is(noon, settings):
    before = due_order(order_number="1")
    settings.ENCRYPT_PERSONAL_DATA = False
    after = due_order(order_number="2")
    assert (raw(after, "recipient_name"), person_of(before).recipient_name) == (FULL["recipient_name"],) * 2
    settings.ENCRYPT_PERSONAL_DATA = True
    call_command("rotate_keys")
    assert raw(after, "recipient_name").startswith("oh1:")
    assert person_of(after).recipient_name == FULL["recipient_name"]


# -- rotation


@pytest.fixture
def two_keys(settings):
    """Rows under the first key; then a second one is put before it."""
    first, second = a_key("first"), a_key("second")
    settings.FIELD_ENCRYPTION_KEYS = [first]
    orders = [due_order(order_number=str(number)) for number in range(7)]
    settings.FIELD_ENCRYPTION_KEYS = [second, first]
    return orders, second


def names(orders) -> set[str]:
    return {person_of(order).recipient_name for order in orders}


def test_after_a_rotation_the_old_key_is_not_needed(two_keys, settings, noon):
    orders, second = two_keys
    assert names(orders) == {FULL["recipient_name"]}
    call_command("rotate_keys")
    settings.FIELD_ENCRYPTION_KEYS = [second]
    datakeys._cipher.cache_clear()
    assert (names(orders), rotating.left()) == ({FULL["recipient_name"]}, 0)
    assert SecurityEvent.objects.get().reason == "to second"


def test_a_rotation_that_was_killed_is_taken_up_by_the_next(two_keys, settings, noon, monkeypatch):
    orders, second = two_keys
    monkeypatch.setattr(rotating, "BATCH", 2)
    next(rotating._wrap_anew())  # one batch, and the process is gone
    assert 0 < rotating.left() < DataKey.objects.count()
    assert names(orders) == {FULL["recipient_name"]}
    call_command("rotate_keys")
    settings.FIELD_ENCRYPTION_KEYS = [second]
    datakeys._cipher.cache_clear()
    assert (names(orders), rotating.left()) == ({FULL["recipient_name"]}, 0)


# -- where keys come from


def test_keys_come_from_a_file_that_only_its_owner_reads(settings, tmp_path):
    path = tmp_path / "keys"
    path.write_text(a_key("filed") + "\n")
    settings.KEY_PROVIDER, settings.FIELD_ENCRYPTION_KEYS_FILE = "privacy.keys.FileKeys", str(path)
    os.chmod(path, 0o600)
    assert keys.newest() == "filed"
    os.chmod(path, 0o640)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        keys.newest()
