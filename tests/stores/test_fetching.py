"""B08: the address of a file comes from outside and decides nothing."""

import socket
import ssl
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orderhub import clock
from orderhub.errors import RequestRejected, TryLater, UnexpectedAnswer
from orderhub.http import is_public
from stores import fetching
from stores.fetching import REFUSED, fetch

HOST = "zme-caps.amazon.com"
PUBLIC = "93.184.215.14"
TRICKS = [
    "http://zme-caps.amazon.com/t/a",
    "HTTPS://zme-caps.amazon.com/t/a",
    "//zme-caps.amazon.com/t/a",
    "/t/a",
    "",
    "https://zme-caps.amazon.com",
    "https:zme-caps.amazon.com/t/a",
    "https:/zme-caps.amazon.com/t/a",
    "https:///zme-caps.amazon.com/t/a",
    "file:///etc/passwd",
    "ftp://zme-caps.amazon.com/t/a",
    "gopher://zme-caps.amazon.com/t/a",
    "javascript:alert(1)",
    "data:application/zip;base64,UEs=",
    "https://127.0.0.1/t/a",
    "https://2130706433/t/a",  # decimal
    "https://0177.0.0.1/t/a",  # octal
    "https://0x7f.0.0.1/t/a",
    "https://0x7f000001/t/a",
    "https://127.1/t/a",
    "https://0/t/a",
    "https://[::1]/t/a",
    "https://[::ffff:127.0.0.1]/t/a",  # IPv6-mapped
    "https://[::ffff:a9fe:a9fe]/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/",
    "https://localhost/t/a",
    "https://user@zme-caps.amazon.com/t/a",  # user info
    "https://user:pass@zme-caps.amazon.com/t/a",
    "https://zme-caps.amazon.com@evil.example/t/a",
    "https://evil.example@zme-caps.amazon.com/t/a",
    "https://evil.example#@zme-caps.amazon.com/t/a",
    "https://evil.example/#zme-caps.amazon.com",
    "https://zme-caps.amazon.com/t/a#b",
    "https://evil.example?@zme-caps.amazon.com/t/a",
    "https://evil.example\\@zme-caps.amazon.com/t/a",
    "https://zme-caps.amazon.com\\.evil.example/t/a",
    "https://zme-caps.amazon.com./t/a",  # trailing dot
    "https://.zme-caps.amazon.com/t/a",
    "https://zme-caps..amazon.com/t/a",
    "https://zme-caps.amazon.com.evil.example/t/a",
    "https://evilzme-caps.amazon.com/t/a",
    "https://amazon.com/t/a",
    "https://xn--zme-caps-9za.amazon.com/t/a",  # IDN
    "https://zmé-caps.amazon.com/t/a",
    "https://ｚme-caps.amazon.com/t/a",
    "https://zme-caps。amazon.com/t/a",
    "https://zme-caps.amazon.com:80/t/a",
    "https://zme-caps.amazon.com:22/t/a",
    "https://zme-caps.amazon.com:443:80/t/a",
    "https://zme-caps.amazon.com:/t/a",
    "https://zme-caps.amazon.com:https/t/a",
    " https://zme-caps.amazon.com/t/a",
    "https://zme-caps.amazon.com/t/a\r\nHost: evil.example",
    "https://zme-caps.amazon.com\t.evil.example/t/a",
    "https://zme-caps.amazon.com/t/a\x00",
    "https://zme-caps.amazon.com%2fevil.example/t/a",
    "https://zme-caps%2eamazon.com/t/a",
    f"https://zme-caps.amazon.com/{'a' * 5000}",
]


@pytest.fixture(autouse=True)
def fresh_clients():
    fetching._client.cache_clear()
    yield
    fetching._client.cache_clear()


@pytest.fixture
def nobody_asks(monkeypatch) -> list[str]:
    """Every name that is looked up."""
    asked = []

    def look_up(host, *_args, **_kwargs):
        asked.append(host)
        raise socket.gaierror("not looked up in tests")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("url", TRICKS)
def test_b08_no_trick_of_an_address_leads_anywhere(url, nobody_asks):
    with pytest.raises(RequestRejected) as refused:
        fetch(url, kind="customization")
    assert (refused.value.code, nobody_asks) == (REFUSED, [])
    assert url == "" or url not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://zme-caps.amazon.com/t/a?Sig=x%2Fy~", "customization"),
        ("https://ZME-caps.amazon.com:443/t/a", "customization"),
        ("https://m.media-amazon.com/images/I/71+a._AC_.jpg", "photo"),
        ("https://images-na.ssl-images-amazon.com/images/I/7.jpg", "photo"),
    ],
)
def test_b08_amazons_own_file_hosts_are_asked(url, kind, nobody_asks):
    with pytest.raises(TryLater):
        fetch(url, kind=kind)
    assert nobody_asks == [url.split("/")[2].removesuffix(":443").lower()]


@pytest.mark.parametrize(
    ("url", "kind"),
    [("https://zme-caps.amazon.com/t/a", "photo"), ("https://m.media-amazon.com/a.jpg", "customization"),
     ("https://media-amazon.com.evil.example/a.jpg", "photo"), ("https://evilmedia-amazon.com/a.jpg", "photo")],
)  # fmt: skip
def test_b08_a_kind_of_file_has_its_own_hosts(url, kind, nobody_asks):
    with pytest.raises(RequestRejected):
        fetch(url, kind=kind)
    assert nobody_asks == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "::7f00:1", "no address",
    ],
)  # fmt: skip
def test_b08_not_an_address_of_the_open_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_b08_an_address_of_the_open_internet(address):
    assert is_public(address)


def _answers(*addresses: str):
    def look_up(_host, port, *_args, **_kwargs):
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in found], socket.SOCK_STREAM, 6, "", (found, port)) for found in addresses]

    return look_up


@pytest.mark.parametrize("addresses", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::ffff:169.254.169.254"], []])
def test_b08_a_name_with_one_inner_address_is_not_called(addresses, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", _answers(*addresses))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    with pytest.raises(RequestRejected) as refused:
        fetch(f"https://{HOST}/t/a", kind="customization")
    assert refused.value.code == REFUSED


class _Files(BaseHTTPRequestHandler):
    """What the host answers is set by the test; what it was asked is kept."""

    answer = (200, {}, b"")
    asked: list = []

    def do_GET(self):
        self.asked.append((self.headers["Host"], self.path))
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


def _certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(clock.now() - timedelta(days=9999)).not_valid_after(clock.now() + timedelta(days=9999))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    sealed = made.sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(sealed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def amazon(tmp_path, monkeypatch, noon):
    """A server with the file host's name and certificate. The public address leads to it, and to nothing else."""
    certificate, key = _certificate(tmp_path)
    server = HTTPServer(("127.0.0.1", 0), _Files)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    names = []
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    real, called = socket.socket.connect, []

    def connect(self, address):
        called.append(address[0])
        return real(self, ("127.0.0.1", server.server_port) if address[0] == PUBLIC else address)

    real_look_up = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        return _answers(PUBLIC)(host, port) if host == HOST else real_look_up(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    _Files.answer, _Files.asked = (200, {}, b"the file"), []
    server.names, server.called = names, called
    yield server
    server.shutdown()
    server.server_close()


def test_b08_the_checked_address_is_the_one_connected_to_under_the_real_name(amazon):
    assert fetch(f"https://{HOST}/t/a%20b?Sig=x%2Fy", kind="customization") == b"the file"
    assert (amazon.called, amazon.names) == ([PUBLIC], [HOST])
    assert _Files.asked == [(HOST, "/t/a%20b?Sig=x%2Fy")]


def test_b08_a_name_that_moves_between_check_and_connect_stays_where_it_was_checked(amazon, monkeypatch):
    looked_up = []

    def look_up(host, port, *args, **kwargs):
        if host == HOST:
            looked_up.append(host)
        address = (PUBLIC if len(looked_up) == 1 else "127.0.0.1") if host == HOST else host
        return _answers(address)(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert fetch(f"https://{HOST}/t/a", kind="customization") == b"the file"
    assert (looked_up, amazon.called) == ([HOST], [PUBLIC])


def test_b08_a_certificate_of_another_name_is_not_believed(amazon, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, *_a, **_k: _answers(PUBLIC)(host, port))
    with pytest.raises(TryLater):
        fetch("https://m.media-amazon.com/a.jpg", kind="photo")
    assert _Files.asked == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_b08_a_redirect_to_the_metadata_address_is_not_followed(amazon, status):
    _Files.answer = (status, {"Location": "http://169.254.169.254/latest/meta-data/"}, b"")
    with pytest.raises(UnexpectedAnswer) as refused:
        fetch(f"https://{HOST}/t/a", kind="customization")
    assert refused.value.code == "Redirect"
    assert amazon.called == [PUBLIC]


def test_b08_a_file_over_the_limit_is_not_read_to_its_end(amazon):
    _Files.answer = (200, {}, bytes(10 * 1024 * 1024 + 1))
    assert len(fetch(f"https://{HOST}/t/a", kind="customization")) == 10 * 1024 * 1024 + 1
    _Files.answer = (200, {}, bytes(25 * 1024 * 1024 + 1))
    with pytest.raises(UnexpectedAnswer) as refused:
        fetch(f"https://{HOST}/t/a", kind="customization")
    assert refused.value.code == "TooLarge"


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [(403, RequestRejected, "HTTP403"), (404, RequestRejected, "HTTP404"), (204, RequestRejected, "HTTP204"),
     (429, TryLater, "HTTP429"), (503, TryLater, "HTTP503")],
)  # fmt: skip
def test_b08_what_the_host_refuses_has_a_name(amazon, status, error, code):
    _Files.answer = (status, {}, b"")
    with pytest.raises(error) as refused:
        fetch(f"https://{HOST}/t/secret", kind="customization")
    assert refused.value.code == code
    assert "secret" not in str(refused.value)


def test_b08_plain_http_goes_to_the_stand_in_only(world, settings):
    with pytest.raises(RequestRejected) as found:
        fetch(f"{settings.SPAPI_BASE_URL}/nothing-here", kind="photo")
    assert found.value.code == "HTTP404"  # asked, and answered
    host, port = settings.SPAPI_BASE_URL.removeprefix("http://").split(":")
    for url in (f"http://{host}:{int(port) + 1}/a", f"http://localhost:{port}/a", f"http://u@{host}:{port}/a"):
        with pytest.raises(RequestRejected) as refused:
            fetch(url, kind="photo")
        assert refused.value.code == REFUSED
    settings.SPAPI_BASE_URL = ""
    with pytest.raises(RequestRejected) as refused:
        fetch(f"http://{host}:{port}/a", kind="photo")
    assert refused.value.code == REFUSED
