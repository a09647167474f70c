"""Names, ports and certificates: whether each server that the settings name is found and answers."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from deploy.doctor.model import Finding, fail, ok, warn

_TIMEOUT = 5.0
_RENEW_DAYS = 21
_DATABASES = tuple(f"HOCVUSO_{s}_DATABASE_URL" for s in ("ACTIVITIES", "METRICS", "REGISTRY"))
_SERVICES = tuple(f"HOCVUSO_{s}_URL" for s in ("ACTIVITIES", "METRICS", "REGISTRY"))
_BROKERS = ("HOCVUSO_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS")
_MOUNTED = Path("/run/secrets/origin_certificate")


def servers(env: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """Each server that the environment names: variable, host, port. Passwords stay out of it."""
    for variable in (*_DATABASES, *_SERVICES, "HOCVUSO_ORIGIN"):
        if not env.get(variable):
            continue
        parts = urlsplit(env[variable])
        usual = {"postgresql": 5432, "https": 443}.get(parts.scheme, 80)
        if parts.hostname:  # a database may be named by a socket's folder instead
            yield variable, parts.hostname, parts.port or usual
    for variable in _BROKERS:
        for address in filter(None, env.get(variable, "").split(",")):
            host, _, port = address.strip().rpartition(":")
            if port.isdecimal():
                yield variable, host.strip("[]"), int(port)


async def check_network(env: Mapping[str, str]) -> list[Finding]:
    """Every name resolves, every port takes connections; certificates hold for some weeks yet."""
    found: dict[tuple[str, int], Finding | None] = {}
    for variable, host, port in servers(env):
        if (host, port) not in found:
            found[host, port] = await _reach(variable, host, port)
    wrong = [finding for finding in found.values() if finding is not None]
    if found and not wrong:
        wrong = [ok("network", f"{len(found)} servers are found and take connections")]
    return wrong + await check_certificates(env)


async def _reach(variable: str, host: str, port: int) -> Finding | None:
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except socket.gaierror:
        return fail("network", f"the name {host} ({variable}) is not known here",
                    f"mend {variable}, or the DNS of this machine: `getent hosts {host}`")  # fmt: skip
    except TimeoutError:
        return fail("network", f"{host}:{port} ({variable}) does not answer at all",
                    "the machine is off, or a firewall drops what is sent there")  # fmt: skip
    except OSError:
        return fail("network", f"nobody listens at {host}:{port} ({variable})",
                    f"start what belongs there, or mend the port in {variable}")  # fmt: skip
    return None


async def check_certificates(env: Mapping[str, str]) -> list[Finding]:
    """The origin's (as a file, or as a caller gets it) and the broker's, where there is TLS."""
    found = _of_file(Path(env.get("HOCVUSO_ORIGIN_CERTIFICATE_FILE") or _MOUNTED))
    asked = [("HOCVUSO_ORIGIN", env.get("HOCVUSO_ORIGIN", ""))]
    if env.get("HOCVUSO_KAFKA_SECURITY_PROTOCOL", "").endswith("SSL"):
        asked += [(v, f"https://{h}:{p}") for v, h, p in servers(env) if v in _BROKERS]
    for variable, address in asked:
        if address.startswith("https://"):
            authority = env.get("HOCVUSO_KAFKA_CA_FILE") if variable in _BROKERS else None
            found.append(await _presented(variable, address, authority))
    return found


def _of_file(file: Path) -> list[Finding]:
    if not file.exists():
        return []
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError:
        return [fail("certificate", f"{file} holds no certificate (PEM)",
                     "put the chain there, then restart the origin")]  # fmt: skip
    return [judge(str(file), certificate, datetime.now(UTC))]


async def _presented(variable: str, address: str, authority: str | None) -> Finding:
    """What a server presents, and whether who trusts the authorities (ours, the system's) takes it."""
    parts = urlsplit(address)
    host, port = str(parts.hostname), parts.port or 443
    context = ssl.create_default_context(cafile=authority)
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
        tls = writer.get_extra_info("ssl_object")
        raw = tls.getpeercert(binary_form=True)
        writer.close()
    except ssl.SSLCertVerificationError as error:
        return fail("certificate", f"that of {host}:{port} ({variable}) is not trusted:"
                    f" {error.verify_message}",
                    "renew it, or let callers trust who signed it; for one of your own authority:"
                    " SSL_CERT_FILE, HOCVUSO_KAFKA_CA_FILE")  # fmt: skip
    except (OSError, TimeoutError) as error:
        return fail("certificate", f"{host}:{port} ({variable}) speaks no TLS"
                    f" ({type(error).__name__})", "look at its log")  # fmt: skip
    return judge(f"that of {host}:{port}", x509.load_der_x509_certificate(raw), datetime.now(UTC))


def judge(what: str, certificate: x509.Certificate, now: datetime) -> Finding:
    """Pure: how long it holds."""
    ends = certificate.not_valid_after_utc
    days = (ends - now).days
    fix = "renew it (docs/operations.md, In containers), then restart who presents it"
    if now >= ends:
        return fail("certificate", f"{what} ended on {ends:%Y-%m-%d}: nobody can connect", fix)
    if now < certificate.not_valid_before_utc:
        return fail("certificate", f"{what} is not valid yet", "look at the clock of this machine")
    said = f"{what} holds until {ends:%Y-%m-%d}, {days} more days"
    return warn("certificate", said, fix) if days < _RENEW_DAYS else ok("certificate", said)
