"""`hocvuso send` of tables against the real service, the way an office uses it."""

import asyncio
import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from hocvuso_cli.send import results as results_module
from services.activities.cli import app
from tests.send.conftest import SOURCE, Run, Sheet, logged, write_xlsx

HEAD = ["Mã xã", "Ngày", "Số CCCD", "Nhóm đối tượng", "Nền tảng"]
NUMBER = "001099000123"
CERTIFIED = ("--type", "citizen.certified", "--source", SOURCE)
HELD = ("--type", "class.held", "--source", SOURCE)


def people(count: int) -> list[list[Any]]:
    return [["24133", "30/06/2026", f"0010990{n:05}", "adult", "VNeID"] for n in range(count)]


def write_csv(path: Path, rows: list[list[Any]]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


async def test_a_file_is_sent_once_however_often(service: Any, run: Run, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [HEAD, *people(1_200)])
    file.chmod(0o600)
    first = await run(file, *CERTIFIED)
    assert (tmp_path / "a.results.csv").stat().st_mode & 0o777 == 0o600
    assert first.exit_code == 0 and "accepted 1200, duplicate 0, rejected 0" in first.output
    again = await run(file, *CERTIFIED)
    assert "accepted 0, duplicate 1200, rejected 0" in again.output
    # In another order, in another format, from the result file: still the same events.
    mixed = write_xlsx(tmp_path / "mixed.xlsx", [HEAD, *reversed(people(1_200))])
    assert "duplicate 1200" in (await run(mixed, *CERTIFIED)).output
    assert "duplicate 1200" in (await run(tmp_path / "a.results.csv", *CERTIFIED)).output
    assert len(await logged(service, "citizen.certified")) == 1_200


async def test_the_result_file_says_what_and_where_and_echoes_nothing(
    service: Any, run: Run, tmp_path: Path
) -> None:
    rows = people(5)
    rows[1][2] = 66099000001  # typed as a number: its zero is gone
    rows[2][4] = "Nền tảng lạ"
    rows[3][0] = "99999"
    rows[4][1] = "06/30/2026"
    file = write_xlsx(tmp_path / "a.xlsx", [HEAD, *rows])
    file.chmod(0o600)
    sent = await run(file, *CERTIFIED)
    assert (tmp_path / "a.results.xlsx").stat().st_mode & 0o777 == 0o600
    assert sent.exit_code == 2 and "accepted 1, duplicate 0, rejected 4" in sent.output
    result = Sheet.read(tmp_path / "a.results.xlsx")
    assert result.column("result.status") == ["accepted", *["rejected"] * 4]
    position, *others = result.column("result.position")
    assert (await logged(service, "citizen.certified"))[0]["position"] == position
    assert others == [None] * 4
    fine, zeros, list_, unit, day = result.column("result.problem")
    assert not fine
    assert "Số CCCD" in zeros and "leading zeros" in zeros
    assert "Nền tảng" in list_ and "Allowed" in list_ and "lạ" not in list_.split("Allowed")[0][10:]
    assert "unit-unknown" in unit and "no such day" in day
    # What is added repeats nobody: only the input's own columns hold persons.
    added = " ".join(str(cell) for row in result.rows[1:] for cell in row[len(HEAD) :])
    assert "0010990" not in added and "66099000001" not in added
    assert "0010990" not in sent.output
    # The input is as it was.
    assert Sheet.read(file).rows == [HEAD, *rows]
    # Mended in the result file and sent again: only what was rejected is new.
    book = openpyxl.load_workbook(tmp_path / "a.results.xlsx")
    book.worksheets[0]["C3"].value = "066099000001"
    book.save(tmp_path / "a.results.xlsx")
    again = await run(tmp_path / "a.results.xlsx", *CERTIFIED)
    assert "accepted 1, duplicate 1, rejected 3" in again.output
    assert (tmp_path / "a.results2.xlsx").exists()


async def test_leading_zeros_reach_the_log(service: Any, run: Run, tmp_path: Path) -> None:
    head = ["subject", "time", "class_ref", "participants", "programme"]
    rows = [["24133", "2026-06-30", "000123", "0012", "007"]]
    for file in (
        write_csv(tmp_path / "a.csv", [head, *rows]),
        write_xlsx(tmp_path / "b.xlsx", [head, *rows]),
    ):
        assert (await run(file, *HELD)).exit_code == 0
    (event,) = await logged(service, "class.held")
    assert event["data"] == {"class_ref": "000123", "participants": 12, "programme": "007"}
    assert event["subject"] == "24133"


async def test_two_equal_rows_are_told(service: Any, run: Run, tmp_path: Path) -> None:
    head = ["subject", "time", "participants"]
    file = write_csv(tmp_path / "a.csv", [head, *[["24133", "30/06/2026", "30"]] * 3])
    sent = await run(file, *HELD)
    assert "accepted 1, duplicate 2" in sent.output and "2 rows repeat another row" in sent.output
    rows = read_csv(tmp_path / "a.results.csv")
    assert "The same as row 2" in rows[2]["Problem [result.problem]"]
    each = await run(file, *HELD, "--identical-rows", "each")
    assert "accepted 2, duplicate 1" in each.output
    assert "duplicate 3" in (await run(file, *HELD, "--identical-rows", "each")).output


async def test_own_ids_and_a_changed_row(service: Any, run: Run, tmp_path: Path) -> None:
    head = ["id", "subject", "time", "participants"]
    file = write_csv(tmp_path / "a.csv", [head, ["lop-1", "24133", "30/06/2026", "30"]])
    assert "accepted 1" in (await run(file, *HELD)).output
    write_csv(file, [head, ["lop-1", "24133", "30/06/2026", "31"]])
    changed = await run(file, *HELD)
    assert changed.exit_code == 2
    assert "event.corrected" in read_csv(tmp_path / "a.results.csv")[0]["Problem [result.problem]"]
    # Without an own id a changed row is another event.
    write_csv(file, [head, ["", "24133", "30/06/2026", "31"]])
    assert "accepted 1" in (await run(file, *HELD)).output


async def test_an_id_that_looks_like_a_formula_stays_a_text(
    service: Any, run: Run, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id", "subject", "time", "participants"])
    book.worksheets[0].append(["", "24133", "30/06/2026", "12"])
    book.worksheets[0]["A2"].value = "=lop"
    book.worksheets[0]["A2"].data_type = "s"
    book.save(tmp_path / "a.xlsx")
    assert (await run(tmp_path / "a.xlsx", *HELD)).exit_code == 0
    kept = openpyxl.load_workbook(tmp_path / "a.results.xlsx").worksheets[0]["A2"]
    assert (kept.value, kept.data_type) == ("=lop", "s")


async def test_the_mapping_is_remembered_and_shown(service: Any, run: Run, tmp_path: Path) -> None:
    head = ["STT", "Xã", "Sĩ số lớp", "Ngày"]
    file = write_csv(tmp_path / "a.csv", [head, ["1", "24133", "30", "30/06/2026"]])
    lost = await run(file, *HELD)
    assert lost.exit_code == 1 and "'Sĩ số lớp'" in lost.output and "--map" in lost.output
    told = ("--map", "Sĩ số lớp=participants", "--map", "Xã=subject", "--ignore", "STT")
    assert "Sĩ số lớp -> participants" in (await run(file, *HELD, *told)).output
    later = write_csv(tmp_path / "b.csv", [head, ["1", "24133", "31", "30/06/2026"]])
    again = await run(later, *HELD)
    assert again.exit_code == 0 and "columns as last time" in again.output
    assert [e["data"] for e in await logged(service, "class.held")] == [
        {"participants": 30}, {"participants": 31},
    ]  # fmt: skip


async def test_values_for_the_whole_file(service: Any, run: Run, tmp_path: Path) -> None:
    file = write_csv(
        tmp_path / "a.csv", [["Số CCCD", "platform"], [NUMBER, ""], ["001099000124", "other"]]
    )
    sent = await run(
        file, *CERTIFIED, "--subject", "24133", "--time", "30/06/2026",
        "--set", "target_groups=Học sinh", "--set", "platform=vneid",
    )  # fmt: skip
    assert sent.exit_code == 0, sent.output
    events = await logged(service, "citizen.certified")
    assert [e["data"]["platform"] for e in events] == ["vneid", "other"]
    assert {e["subject"] for e in events} == {"24133"}
    assert all(e["data"]["target_groups"] == ["pupil"] for e in events)


async def test_dry_run_writes_nothing(service: Any, run: Run, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [HEAD, *people(2), ["99999", *people(3)[2][1:]]])
    dry = await run(file, *CERTIFIED, "--dry-run")
    assert dry.exit_code == 2 and "nothing was written" in dry.output
    statuses = [row["Result [result.status]"] for row in read_csv(tmp_path / "a.dry-run.csv")]
    assert statuses == ["would be accepted", "would be accepted", "rejected"]
    assert not await logged(service, "citizen.certified")
    assert not (tmp_path / "a.results.csv").exists()


async def test_the_source_is_that_of_the_key(
    service: Any, run: Run, tmp_path: Path, admin: str
) -> None:
    file = write_csv(
        tmp_path / "a.csv", [["subject", "time", "participants"], ["24133", "30/06/2026", "12"]]
    )
    unsaid = await run(file, "--type", "class.held")
    assert unsaid.exit_code == 1 and "--source" in unsaid.output
    key = tmp_path / "commune.key"
    made = await asyncio.to_thread(
        CliRunner().invoke, app,
        ["keys", "create", "buon-ma-thuot", "--role", "commune", "--source", SOURCE, "--out", str(key)],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert (await run(file, "--type", "class.held", "--key-file", key)).exit_code == 0
    (event,) = await logged(service, "class.held")
    assert event["source"] == SOURCE


async def test_a_large_workbook_goes_row_by_row(
    service: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_module, "WHOLE_WORKBOOK_BYTES", 0)
    rows = people(30)
    rows[3][1] = datetime(2026, 6, 29)  # noqa: DTZ001
    rows[4][2] = "=1+1"
    sent = await run(write_xlsx(tmp_path / "a.xlsx", [HEAD, *rows]), *CERTIFIED)
    assert "accepted 29, duplicate 0, rejected 1" in sent.output
    result = Sheet.read(tmp_path / "a.results.xlsx")
    assert result.rows[1][: len(HEAD)] == rows[0]
    assert result.column("result.status") == ["accepted"] * 4 + ["rejected"] + ["accepted"] * 25


async def test_a_server_that_is_away_leaves_the_rest_not_sent(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_csv(tmp_path / "a.csv", [HEAD, *people(700)])
    monkeypatch.setattr("hocvuso_client.direct.sleep", lambda _: None)
    away = await run(file, *CERTIFIED, "--url", "http://127.0.0.1:9")
    assert away.exit_code == 1 and "No answer" in away.output
    rows = read_csv(tmp_path / "a.results.csv")
    assert [row["Result [result.status]"] for row in rows] == ["not sent"] * 700


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a file"),
        (["--template", "citizen.certifed"], "citizen.certified"),
        (["--template", "class.held", "--out", "x.pdf"], ".xlsx"),
    ],
)
async def test_misuse_is_explained(run: Run, arguments: list[str], message: str) -> None:
    answer = await run(*arguments)
    assert answer.exit_code == 1 and message in answer.output


@pytest.mark.security("V5.4.2")
async def test_a_filled_template_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    assert (await run("--template", "class.held", "--out", tmp_path / "t.xlsx")).exit_code == 0
    again = await run("--template", "class.held", "--out", tmp_path / "t.xlsx")
    assert again.exit_code == 1 and "there already" in again.output
    other = await run(tmp_path / "t.xlsx", "--type", "post.published")
    assert other.exit_code == 1 and "template for class.held" in other.output


async def test_the_secret_of_ids_is_private_and_stays(
    run: Run, service: Any, tmp_path: Path
) -> None:
    file = write_csv(
        tmp_path / "a.csv", [["subject", "time", "participants"], ["24133", "30/06/2026", "12"]]
    )
    await run(file, *HELD)
    secret = tmp_path / "config" / "hocvuso" / "send" / "ids.secret"
    kept = secret.read_text()
    assert secret.stat().st_mode & 0o077 == 0 and len(bytes.fromhex(kept)) == 32
    await run(file, *HELD)
    assert secret.read_text() == kept
    other = tmp_path / "other.secret"
    assert "accepted 1" in (await run(file, *HELD, "--id-secret", other)).output
    assert other.read_text() != kept


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_a_result_file_that_somebody_has_mended_is_kept(
    service: Any, run: Run, tmp_path: Path, kind: str
) -> None:
    """Sending the input once more writes over the own result only while nobody has touched it."""
    write = write_csv if kind == "csv" else write_xlsx
    file = write(tmp_path / f"a.{kind}", [HEAD, *people(2)])
    results = tmp_path / f"a.results.{kind}"
    await run(file, *CERTIFIED)
    first = results.read_bytes()
    await run(file, *CERTIFIED)
    assert results.read_bytes() != first  # accepted became duplicate, in the same place
    assert [p.name for p in tmp_path.glob("a.results*")] == [results.name]
    if kind == "csv":
        results.write_bytes(results.read_bytes().replace(b"VNeID", b"vneid"))
    else:
        book = openpyxl.load_workbook(results)
        book.worksheets[0]["E2"].value = "vneid"
        book.save(results)
    mended = results.read_bytes()
    for _ in range(2):  # the second one's place is its own again
        sent = await run(file, *CERTIFIED)
        assert f"a.results2.{kind}" in sent.output.replace("\n", "")
    assert results.read_bytes() == mended
    assert sorted(p.name for p in tmp_path.glob("a.results*")) == [
        f"a.results.{kind}", f"a.results2.{kind}",
    ]  # fmt: skip
    again = await run(results, *CERTIFIED)
    assert "duplicate 2" in again.output
