"""The origin's nginx as it is deployed: TLS, what goes where, and what is not reachable.

Only ports, folders and the addresses behind it are other ones. Where nginx is not installed it is
taken from Debian's package, unpacked and not installed.
"""

import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from starlette.routing import BaseRoute

from deploy.local.ports import free_port
from services.activities.app import create_app

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
FOR_ADMINISTRATORS = (
    "/v1/keys", "/v1/quotas", "/v1/audit", "/v1/intake", "/v1/log", "/v1/sessions",
)  # fmt: skip
FOR_THE_MACHINE = ("/health/", "/metrics", "/docs", "/redoc", "/openapi.json")


class _Behind(BaseHTTPRequestHandler):
    """Answers with its name, the path and what the origin said of the caller."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kept = {n.lower(): v for n, v in self.headers.items()}
        said = json.dumps({"by": self.name, "path": self.path, "headers": kept}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET

    def log_message(self, *_: object) -> None: ...


@dataclass
class Origin:
    """`secure` trusts the certificate that was made; `log` is what nginx wrote."""

    plain: httpx.Client
    secure: httpx.Client
    ports: tuple[int, int]
    certificate: Path
    log: Path


def nginx() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        unpacked = subprocess.run(
            [DOCKER / "nginx" / "get.sh"], capture_output=True, text=True, check=False
        )
        if unpacked.returncode != 0:
            pytest.skip(unpacked.stderr.strip())
        found = unpacked.stdout.strip()
    return found


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    folder = tmp_path_factory.mktemp("origin")
    binary = nginx()
    # As in a checkout, beside which the secrets lie.
    tree = folder / "tree" / "deploy" / "docker"
    tree.mkdir(parents=True)
    script = shutil.copy(DOCKER / "make-secrets.sh", tree)
    subprocess.run(
        ["sh", script, "hocvuso.example"],
        check=True,
        capture_output=True,
        env={**os.environ, "HOCVUSO_SECRETS": str(folder / "secrets")},
    )
    config = (DOCKER / "nginx" / "nginx.conf").read_text()
    plain, secure = free_port(), free_port()
    servers = []
    for name, port in (("activities", 8001), ("registry", 8000)):
        handler = type(name, (_Behind,), {"name": name})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        assert f"http://{name}:{port};" in config
        config = config.replace(
            f"http://{name}:{port};", f"http://127.0.0.1:{server.server_address[1]};"
        )
    for before, after in {
        "listen 8080": f"listen 127.0.0.1:{plain}", "listen 8443": f"listen 127.0.0.1:{secure}",
        '":8443"': f'":{secure}"', "/tmp/": f"{folder}/", "/run/secrets/": f"{folder}/secrets/",
        "/dev/stdout": f"{folder}/log", "/dev/stderr": f"{folder}/log",
    }.items():  # fmt: skip
        config = config.replace(before, after)
    (folder / "nginx.conf").write_text(config)
    process = subprocess.Popen(
        [binary, "-p", folder, "-e", folder / "log", "-c", folder / "nginx.conf", "-g", "daemon off;"],
        stderr=(folder / "start").open("wb"),
    )  # fmt: skip
    trust = ssl.create_default_context(cafile=folder / "secrets" / "origin_certificate")
    made = Origin(
        httpx.Client(base_url=f"http://127.0.0.1:{plain}", trust_env=False),
        httpx.Client(base_url=f"https://127.0.0.1:{secure}", trust_env=False, verify=trust),
        (plain, secure),
        folder / "secrets" / "origin_certificate",
        folder / "log",
    )
    deadline = time.monotonic() + 20
    while True:
        try:
            made.plain.get("/origin/health")
            break
        except httpx.TransportError:
            why = (folder / "start").read_text()
            assert process.poll() is None and time.monotonic() < deadline, why
            time.sleep(0.05)
    yield made
    made.plain.close()
    made.secure.close()
    process.terminate()
    process.wait(20)
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.security("V4.1.2", "V12.2.1")
def test_plain_http_leads_to_tls_and_takes_nothing(origin: Origin) -> None:
    answer = origin.plain.get("/plans/x?unit=66")
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://127.0.0.1:{origin.ports[1]}/plans/x?unit=66"
    # On the standard ports, Host names none.
    named = origin.plain.get("/plans/x", headers={"Host": "hocvuso.example"})
    assert named.headers["Location"] == "https://hocvuso.example/plans/x"
    clear = httpx.post(
        f"http://127.0.0.1:{origin.ports[1]}/v1/events", content=b"{}", trust_env=False
    )
    for refused in (origin.plain.post("/v1/events", content=b"{}"), clear):
        assert refused.status_code == 403 and refused.json()["code"] == "tls-required"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert "rotate" in refused.json()["hint"]
    assert origin.plain.get("/origin/health").text == "live\n"


@pytest.mark.security("V12.1.1", "V12.1.2", "V3.4.4")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_is_new_enough_and_asked_for_from_now_on(origin: Origin) -> None:
    answer = origin.secure.get("/")
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Server" not in answer.headers or answer.headers["Server"] == "nginx"
    said = answer.json()["headers"]
    assert said["x-forwarded-proto"] == "https" and said["x-forwarded-for"] == "127.0.0.1"
    forged = origin.secure.get("/", headers={"X-Forwarded-For": "8.8.8.8"}).json()["headers"]
    assert forged["x-forwarded-for"] == "127.0.0.1", "what a caller says of itself is not passed on"
    old = ssl.create_default_context(cafile=origin.certificate)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://127.0.0.1:{origin.ports[1]}/", verify=old, trust_env=False)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://127.0.0.1:{origin.ports[1]}/", trust_env=False)


def test_the_certificate_names_what_was_asked_and_signs_nothing(origin: Origin) -> None:
    shown = subprocess.run(
        ["openssl", "x509", "-in", origin.certificate, "-noout", "-ext",
         "subjectAltName,basicConstraints"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "DNS:localhost, IP Address:127.0.0.1, DNS:hocvuso.example" in shown
    assert "CA:FALSE" in shown


def paths_of_activities() -> set[str]:
    def walk(routes: list[BaseRoute]) -> Iterator[str]:
        for route in routes:
            if path := getattr(route, "path", None):
                yield path
            inner = getattr(route, "original_router", route)
            yield from walk(getattr(inner, "routes", None) or [])

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOCVUSO_ACTIVITIES_DATABASE_URL", "postgresql://127.0.0.1:1/x")
        return set(walk(create_app().routes))


@pytest.mark.security("V13.4.5", "API9")
def test_every_address_of_activities_is_reachable_or_kept_inside_on_purpose(origin: Origin) -> None:
    paths = paths_of_activities()
    assert {"/v1/events", "/v1/quarantine", "/v1/reconciliations", "/xapi/statements"} <= paths
    for path in sorted(paths):
        # One segment each, as a caller would write them.
        answer = origin.secure.get(path.replace("{", "").replace("}", ""))
        if path.startswith(FOR_THE_MACHINE):
            assert answer.status_code == 404 or answer.json()["by"] == "registry", path
        elif path in (
            "/v1/keys/self",
            "/v1/intake/{partner}",
            "/v1/intake/{partner}/acknowledgement",
        ):
            assert answer.json()["by"] == "activities", path
        elif path.startswith(FOR_ADMINISTRATORS):
            assert answer.status_code == 404 and answer.json()["code"] == "not-found", path
        else:
            assert answer.json()["by"] == "activities", path
    for path in ("/", "/v1/units", "/v1/plans/x/table", "/enter", "/v1/changes"):
        assert origin.secure.get(path).json()["by"] == "registry", path


def test_the_origin_s_own_errors_are_problems_and_its_log_repeats_no_query(origin: Origin) -> None:
    large = origin.secure.post("/v1/events", content=b"x" * (17 * 1024 * 1024))
    assert large.status_code == 413 and large.json()["code"] == "body-too-large"
    origin.secure.get("/v1/events?id=066204012345")
    lines = origin.log.read_text().splitlines()
    assert any(json.loads(line)["path"] == "/v1/events" for line in lines if line[0] == "{")
    assert "066204012345" not in origin.log.read_text()


def test_the_origin_s_key_is_only_in_files_of_the_origin() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert text.count("origin_key") == 3, "mounted once, declared once with its file"
    assert os.access(DOCKER / "make-secrets.sh", os.X_OK)
