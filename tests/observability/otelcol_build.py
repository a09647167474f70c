"""`make test-collector`: the official OpenTelemetry Collector, built from its Go modules.

Built once, in the user's cache beside Apache Kafka (a few minutes with two processors). `go.sum` names
the hash of every module, so what a proxy serves is checked without a checksum database.
Where there is no Go, or its modules cannot be fetched, this says so plainly and succeeds.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

SOURCE = Path(__file__).parent / "otelcol"
_UNREACHABLE = re.compile(
    r"dial tcp|no such host|i/o timeout|TLS handshake|connection re(fused|set)|server response:"
    r"|proxyconnect|module lookup disabled|toolchain not available|requires go >="
)
_FORGED = re.compile(r"checksum mismatch|SECURITY ERROR|missing go\.sum entry")


class NotHereError(Exception):
    """The collector cannot be had on this machine; says why."""


def version() -> str:
    """The collector's version, as go.mod has it."""
    found = re.search(r"collector/otelcol v(\S+)", (SOURCE / "go.mod").read_text())
    assert found
    return found[1]


def _target() -> Path:
    content = b"".join((SOURCE / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
    digest = hashlib.sha256(content).hexdigest()[:12]
    return platformdirs.user_cache_path("hocvuso") / f"otelcol-{version()}-{digest}"


def built() -> Path:
    """The program, if it was built before. Raises NotHereError."""
    if not _target().exists():
        raise NotHereError("the OpenTelemetry Collector is not built: `make test-collector`")
    return _target()


def build() -> Path:
    """The program, built the first time. Raises NotHereError; a forged module is an AssertionError."""
    target = _target()
    if target.exists():
        return target
    go = shutil.which("go")
    if go is None:
        raise NotHereError("there is no Go (the program `go`) to build it with")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as draft:
        made = Path(draft) / "otelcol"
        done = subprocess.run(
            [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", made],
            cwd=SOURCE, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            said = done.stderr.strip()[-600:]
            if _UNREACHABLE.search(done.stderr) and not _FORGED.search(done.stderr):
                raise NotHereError(f"its Go modules cannot be fetched: {said}")
            raise AssertionError(f"the collector cannot be built: {said}")
        made.rename(target)
    for old in target.parent.glob("otelcol-*"):
        if old != target:
            old.unlink()
    return target


def main() -> int:
    """Build the collector and run its tests; say what ran."""
    try:
        build()
    except NotHereError as reason:
        print(f"make test-collector: NOT RUN. {reason}")
        return 0
    print(f"make test-collector: OpenTelemetry Collector {version()}")
    return subprocess.call(
        [sys.executable, "-m", "pytest", "tests/observability/test_real_collector.py"]
    )


if __name__ == "__main__":
    sys.exit(main())
