"""D1.1a: from where the pages can be reached, and that nobody can say they come from elsewhere."""

import pytest

from orderhub.signin.addresses import client_address
from tests.factories import make_user
from tests.signins import type_password

NETWORKS = ["10.1.0.0/16", "203.0.113.7/32", "2001:db8::/32"]
SOURCES = {
    "10.1.2.3": True, "203.0.113.7": True, "2001:db8::9": True,
    "10.2.0.1": False, "198.51.100.9": False, "2001:dead::1": False,
}  # fmt: skip
SPOOFED = ["", "10.1.2.3", "10.1.2.3, 10.1.2.3, 10.1.2.3", "nonsense"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("proxies", [0, 1, 2])
@pytest.mark.parametrize("spoofed", SPOOFED)
@pytest.mark.parametrize("source", SOURCES)
def test_d11a_only_listed_addresses_get_past_not_found(client, settings, db, source, spoofed, proxies):
    settings.ADMIN_ALLOWLIST, settings.TRUSTED_PROXIES = NETWORKS, proxies
    hops = [spoofed] if spoofed else []
    hops += [source, "172.16.0.2"][:proxies]  # each proxy adds whom it was called by
    headers = {"HTTP_X_FORWARDED_FOR": ", ".join(hops)} if hops else {}
    caller = "172.16.0.1" if proxies else source
    answer = client.get("/admin/login/", REMOTE_ADDR=caller, **headers)
    assert answer.status_code == (200 if SOURCES[source] else 404)
    for address in ("/", "/admin/", "/static/orderhub/theme.css", "/nowhere"):
        other = client.get(address, REMOTE_ADDR=caller, **headers)
        assert SOURCES[source] or (other.status_code, other.content) == (404, b"Not found")
    assert client.get("/healthz", REMOTE_ADDR=caller, **headers).status_code == 503  # no worker, and reachable


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "found"),
    [
        ("10.0.0.1", "", 0, "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1", 0, "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1", 1, "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6,1.1.1.1 , 10.0.0.2", 2, "1.1.1.1"),
        ("10.0.0.1", "1.1.1.1", 2, None),  # came past one of the proxies
        ("10.0.0.1", "", 1, None),
        ("10.0.0.1", "unknown", 1, None),
        ("::ffff:10.1.2.3", "", 0, "10.1.2.3"),
        ("", "", 0, None),
        ("10.0.0.1", "2001:db8::1", 1, "2001:db8::1"),
    ],
)
def test_d11a_the_callers_address_is_counted_from_the_right(peer, forwarded, proxies, found):
    address = client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}, proxies=proxies)
    assert (str(address) if address else None) == found


def test_d11a_who_cannot_be_placed_is_kept_out(client, settings, db):
    settings.ADMIN_ALLOWLIST, settings.TRUSTED_PROXIES = NETWORKS, 1
    assert client.get("/admin/login/", REMOTE_ADDR="10.1.2.3").status_code == 404


def test_d11a_without_a_list_everybody_gets_to_the_sign_in_page(client, db):
    assert client.get("/admin/login/", REMOTE_ADDR="198.51.100.9").status_code == 200


def test_d12b_a_lock_is_of_the_address_behind_the_proxy_not_of_one_made_up(client, settings, db, noon):
    settings.TRUSTED_PROXIES = 1
    user = make_user("Support")

    def attempt(number, password="wrong"):
        return type_password(
            client, user, password, address="172.16.0.1", HTTP_X_FORWARDED_FOR=f"6.6.6.{number}, 203.0.113.7"
        )

    answers = [attempt(number).status_code for number in range(5)]
    assert answers == [200] * 4 + [429]
    assert attempt(99, "correct horse battery").status_code == 429
