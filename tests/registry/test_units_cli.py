"""`hocvuso units` against a running registry: find, import, rename, merge, split, hamlets."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.registry import cli
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.pages import address as address

RUN = CliRunner()


@pytest.fixture
def shell(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The environment of somebody who has a key."""
    key = tmp_path / "admin.key"
    key.write_text(fakes.KEY)
    monkeypatch.setenv("HOCVUSO_REGISTRY_URL", address)
    monkeypatch.setenv("HOCVUSO_ADMIN_KEY_FILE", str(key))
    yield tmp_path


async def hocvuso(registry: Running, *arguments: str) -> Result:
    """Run a command beside the loop that serves it."""
    result = await asyncio.to_thread(RUN.invoke, cli.app, ["units", *arguments])
    await registry.settle()
    return result


async def test_find(registry: Running, shell: Path) -> None:
    found = await hocvuso(registry, "find", "buon ma thuot")
    assert found.exit_code == 0 and "24133@2025" in found.output, found.output
    assert (await hocvuso(registry, "find", "nowhere at all")).exit_code == 1
    former = await hocvuso(registry, "find", "tinh yen bai", "--former")
    assert "15@2004" in former.output and "until 2025-07-01" in former.output


async def test_import_rename_merge_split(registry: Running, shell: Path) -> None:
    file = shell / "schools.csv"
    file.write_text(
        "code,name_vi,kind,parent,organisation_kind\n"
        + "".join(f"52-th{n},Trường {n},organisation,52,school\n" for n in (1, 2, 3))
    )
    arguments = ["import", str(file), "--on", "2026-11-01"]
    dry = await hocvuso(registry, *arguments)
    assert "+ 52-th1@2025 Trường 1" in dry.output and "nothing was written" in dry.output
    wrote = await hocvuso(registry, *arguments, "--write")
    assert "3 changes written" in wrote.output, wrote.output
    again = await hocvuso(registry, *arguments, "--write")
    assert "nothing changes" in again.output
    on = ["--on", "2026-11-02", "--write"]
    for command, expected in (
        (["rename", "52-th1", "--name", "Trường Một", *on], "~ 52-th1@2025 Trường 1"),
        (["merge", "52-th1", "52-th2", "--into", "52-th4:organisation:Trường Bốn", *on],
         "- 52-th2@2025 Trường 2: whole -> 52-th4@2025"),
        (["split", "52-th3", "--into", "52-th4", "--into", "52-th5:organisation:Trường Năm", *on],
         "- 52-th3@2025 Trường 3: part -> 52-th4@2025, 52-th5@2025"),
    ):  # fmt: skip
        said = await hocvuso(registry, *command)
        assert said.exit_code == 0 and expected in said.output, said.output


async def test_hamlets(registry: Running, shell: Path) -> None:
    file = shell / "thon.txt"
    file.write_text("1. Thôn Một\n2. Thôn Hai\n")
    dry = await hocvuso(registry, "hamlets", "24376", str(file), "--complete")
    assert "+ 24376-002@2025 Thôn Hai" in dry.output, dry.output
    await hocvuso(registry, "hamlets", "24376", str(file), "--complete", "--write")
    shown = await hocvuso(registry, "hamlets", "24376")
    assert "24376-001" in shown.output and "2 hamlets, list complete" in shown.output
    file.write_text("Thôn Một\n")
    refused = await hocvuso(registry, "hamlets", "24376", str(file), "--complete")
    assert refused.exit_code == 1
    assert "hamlets-absent" in refused.output and "missing: 24376-002@2025" in refused.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "no-such-file.csv"], "No such file"),
        (["import", "BAD"], "line 2: 9: 9 has not the 5 digits"),
        (["rename", "66", "--on", "2026-11-01", "--name", ""], "invalid-parameter"),
        (["rename", "99999", "--on", "2026-11-01", "--name", "x"], "unit-unknown"),
        (["rename", "66", "--on", "yesterday", "--name", "x"], "--on"),
        (["merge", "24133", "--into", "66", "--on", "2026-11-01"], "Fix: Only units of one level"),
        (["split", "24133", "--into", "24121", "--on", "2026-11-01"], "invalid-parameter"),
        (["hamlets", "66"], "unit-not-commune"),
        (["find", "x", "--key-file", "BAD"], "holds no key"),
    ],
)
async def test_what_is_wrong_is_said(
    registry: Running, shell: Path, arguments: list[str], says: str
) -> None:
    bad = shell / "bad"
    bad.write_text("code,name_vi,kind,parent\n9,Xã,commune,66\n")
    given = [str(bad) if argument == "BAD" else argument for argument in arguments]
    result = await hocvuso(registry, *given)
    assert result.exit_code != 0
    assert says in result.output, result.output
    assert "Traceback" not in result.output


async def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOCVUSO_REGISTRY_URL", "http://127.0.0.1:1")
    result = RUN.invoke(cli.app, ["units", "find", "x"])
    assert result.exit_code == 1 and "Fix: start it" in result.output
