"""Encrypted columns: what is stored tells nothing, cannot be altered or moved unseen, and keys can change."""

import secrets
from base64 import b64decode, b64encode

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from privacy.fields import CannotDecrypt, decrypt, encrypt
from privacy.scanner import Scanner
from stores.models import AmazonAccount
from tests.factories import make_account

PLACE = "stores_amazonaccount.refresh_token"
TOKEN = "Atzr|canary-refresh-token"


def a_key(name: str) -> str:
    return f"{name}:{b64encode(secrets.token_bytes(32)).decode()}"


@pytest.fixture(autouse=True)
def first_key(settings):
    settings.FIELD_ENCRYPTION_KEYS = [a_key("first")]


@pytest.mark.parametrize("text", [TOKEN, "é霧🦊", " ", "x" * 100_000, "v1:first:abc"])
def test_what_was_encrypted_comes_back(text):
    stored = encrypt(text, place=PLACE)
    assert text not in stored or text == " "
    assert decrypt(stored, place=PLACE) == text


def test_the_same_text_never_looks_the_same():
    assert len({encrypt(TOKEN, place=PLACE) for _ in range(50)}) == 50


def test_without_its_key_nothing_comes_back(settings):
    stored = encrypt(TOKEN, place=PLACE)
    settings.FIELD_ENCRYPTION_KEYS = [a_key("other")]
    with pytest.raises(CannotDecrypt):
        decrypt(stored, place=PLACE)
    settings.FIELD_ENCRYPTION_KEYS = [a_key("first")]  # the same name, another key
    with pytest.raises(CannotDecrypt):
        decrypt(stored, place=PLACE)


def test_a_single_flipped_bit_is_noticed_wherever_it_is():
    head, packed = encrypt(TOKEN, place=PLACE).rsplit(":", 1)
    raw = b64decode(packed)
    for position in range(len(raw)):
        altered = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises(CannotDecrypt):
            decrypt(f"{head}:{b64encode(altered).decode()}", place=PLACE)


def test_a_value_moved_to_another_column_is_refused():
    with pytest.raises(CannotDecrypt):
        decrypt(encrypt(TOKEN, place=PLACE), place="stores_amazonaccount.status_reason")


@pytest.mark.parametrize("stored", ["plain text", "", "v1:first", "v2:first:AAAA", "v1:first:!!!!", "v1:first:AAAA"])
def test_what_is_not_ciphertext_is_never_returned(stored):
    with pytest.raises(CannotDecrypt) as caught:
        decrypt(stored, place=PLACE)
    assert str(caught.value) == PLACE


def test_a_new_key_goes_in_front_and_old_values_stay_readable(settings):
    old = encrypt(TOKEN, place=PLACE)
    settings.FIELD_ENCRYPTION_KEYS = [a_key("second"), *settings.FIELD_ENCRYPTION_KEYS]
    assert decrypt(old, place=PLACE) == TOKEN
    assert encrypt(TOKEN, place=PLACE).startswith("v1:second:")


@pytest.mark.parametrize("keys", [[], ["no-colon"], ["short:AAAA"], ["bad:!!!"]])
def test_keys_that_are_none_are_refused_with_a_sentence(settings, keys):
    settings.FIELD_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"):
        encrypt(TOKEN, place=PLACE)


def raw_token(account: AmazonAccount) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_token FROM stores_amazonaccount WHERE id = %s", [account.pk])
        return cursor.fetchone()[0]


@pytest.mark.django_db
def test_the_raw_column_shows_no_token(noon):
    account = make_account()
    token = AmazonAccount.objects.get(pk=account.pk).refresh_token
    assert token.startswith("Atzr|")
    stored = raw_token(account)
    assert stored.startswith("v1:first:")
    assert Scanner({"token": token}).scan_text(stored, PLACE) == []
    assert token not in str(account) + repr(account)


@pytest.mark.django_db
def test_an_empty_token_stays_empty(noon):
    account = make_account()
    AmazonAccount.objects.filter(pk=account.pk).update(refresh_token="", status="pending")
    assert raw_token(account) == ""
    assert AmazonAccount.objects.get(pk=account.pk).refresh_token == ""


@pytest.mark.django_db
@pytest.mark.parametrize("lookup", ["contains", "startswith", "in", "gt", "iexact", "regex"])
def test_an_encrypted_column_cannot_be_searched(lookup):
    with pytest.raises(TypeError, match="cannot be searched"):
        AmazonAccount.objects.filter(**{f"refresh_token__{lookup}": ["Atzr"]}).exists()
