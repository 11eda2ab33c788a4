"""A bureau behind HTTPS is reached where its certificate is one the site trusts, and never otherwise."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reminder.upstream import read_upstream
from tests.relay.bureau import bureau, http
from tests.relay.relays import call, relay


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signed itself, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bureau")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "bureau.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))
    return file


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    """What the bureau serves with."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


def test_a_bureau_whose_authority_is_named_is_reached(
    certificate: Path, context: ssl.SSLContext, tmp_path: Path
) -> None:
    """`ca` names a bureau's own authority."""
    with bureau(context) as ours, relay(tmp_path, ours.url, ca=certificate) as here:
        ours.reply = lambda arrived: http(arrived.body)
        assert here.do(here.relay.pass_on(call("2207", b"{}"), "2207")).body == b"{}"


def test_a_path_belongs_to_the_folder_of_the_settings(certificate: Path) -> None:
    """As every path in a file."""
    assert read_upstream({"url": "https://b", "ca": certificate.name}, certificate.parent).ca == certificate


def test_a_stranger_in_the_bureaus_place_gets_nothing(context: ssl.SSLContext, tmp_path: Path) -> None:
    """A certificate nobody trusts: not a byte of the call is sent."""
    with bureau(context) as ours, relay(tmp_path, ours.url) as here:
        passed = here.do(here.relay.pass_on(call("2207", b"{}"), "2207"))
        assert (passed.status, ours.arrived) == (502, [])
