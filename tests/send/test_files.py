"""Files as spreadsheet programs write them: encodings, delimiters, formulas, errors."""

from pathlib import Path

import openpyxl
import pytest

from hocvuso_cli.send.cells import Fault
from hocvuso_cli.send.columns import layout
from hocvuso_cli.send.sniff import TableError
from hocvuso_cli.send.tables import open_table
from hocvuso_cli.send.template import write_template
from tests.send.values import CATALOGUE

TEXT = 'Mã đơn vị;Nội dung\n00123;Chữ, có dấu\n\n24133;"hai\ndòng; một ô"\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_as_programs_write_it(tmp_path: Path, encoding: str, delimiter: str) -> None:
    import csv

    file = tmp_path / "a.csv"
    rows = [["Mã đơn vị", "Nội dung"], ["00123", "Chữ, có; dấu"], [], ["24133", "hai\ndòng"]]
    with file.open("w", encoding=encoding, newline="") as opened:
        csv.writer(opened, delimiter=delimiter).writerows(rows)
    table = open_table(file)
    assert table.headers == ("Mã đơn vị", "Nội dung")
    assert list(table.rows()) == [(2, rows[1]), (4, rows[3])]


def test_a_line_that_names_the_delimiter_is_no_row(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("sep=;\n" + TEXT, encoding="utf-8-sig")
    table = open_table(file)
    assert table.headers == ("Mã đơn vị", "Nội dung")
    assert [cells[0] for _, cells in table.rows()] == ["00123", "24133"]


@pytest.mark.parametrize("encoding", ["cp1258", "latin-1", "utf-16-le"])
def test_other_encodings_are_refused_not_guessed(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("Mã đơn vị,Ghi chú\n00123,à la\n".encode(encoding, errors="ignore"))
    with pytest.raises(TableError, match="UTF-8"):
        open_table(file)


def test_an_encoding_that_breaks_late_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,b\n" + b"1,2\n" * 500_000 + "Đ".encode("cp1258") + b",2\n")
    with pytest.raises(TableError, match="UTF-8"):
        open_table(file)


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("BÁO CÁO THÁNG 6,\n\n,\nMã đơn vị,Nội dung\n00123,a\n", encoding="utf-8")
    table = open_table(file)
    assert table.first == 4 and list(table.rows()) == [(5, ["00123", "a"])]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04 no workbook"])
def test_what_is_no_table(tmp_path: Path, content: bytes) -> None:
    for end in ("csv", "xlsx"):
        file = tmp_path / f"a.{end}"
        file.write_bytes(content)
        if end == "xlsx" or not content.startswith(b"PK"):
            with pytest.raises(TableError):
                open_table(file)


def test_formulas_give_stored_values_and_errors_are_faults(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Mã đơn vị", "Tổng", "Lỗi"])
    book.worksheets[0].append(["00123", "=1+1", "#N/A"])
    book.save(file)
    ((_, cells),) = open_table(file).rows()
    assert cells[0] == "00123"
    # The library that wrote this file calculates nothing: there is no stored result.
    assert isinstance(cells[1], Fault) and "formula" in cells[1].why
    assert isinstance(cells[2], Fault) and "error" in cells[2].why


def test_the_template_offers_choices_and_keeps_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOCVUSO_LANG", "vi")
    file = tmp_path / "t.xlsx"
    write_template(layout("citizen.certified"), CATALOGUE["citizen.certified"].examples[0], file)
    book = openpyxl.load_workbook(file)
    sheet, lists = book["Dữ liệu"], book["_hocvuso"]
    assert lists.sheet_state == "hidden" and lists["A1"].value == "hocvuso-type=citizen.certified"
    at = {cell.value.rsplit("[", 1)[1][:-1]: cell.column_letter for cell in sheet[1]}
    assert {"id", "subject", "time", "person.scheme", "person.value", "target_groups",
            "target_groups#2", "target_groups#3", "platform", "opening"} <= set(at)  # fmt: skip
    for name in ("subject", "person.value", "id", "framework"):
        assert sheet.column_dimensions[at[name]].number_format == "@", name
    assert sheet.column_dimensions[at["certified_on"]].number_format == "yyyy-mm-dd"
    rules = {
        str(r.sqref)[: str(r.sqref).index("2")]: r.formula1
        for r in sheet.data_validations.dataValidation
    }
    assert set(rules) == {at[n] for n in ("person.scheme", "target_groups", "target_groups#2",
        "target_groups#3", "platform", "opening", "reporter_kind", "held_by")}  # fmt: skip
    where = rules[at["platform"]].split("!")[1].replace("$", "")
    words = [cell.value for (cell,) in lists[where]]
    assert words == list(layout("citizen.certified").columns["platform"].words.values())
    assert sheet["A2"].value.startswith("VÍ DỤ")
    assert "Hướng dẫn" in book.sheetnames


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_no_two_values_of_a_list_look_alike(name: str) -> None:
    """A value is found by its Vietnamese title without marks: that must be unique."""
    from hocvuso_cli.send.text import fold

    for column in layout(name).columns.values():
        meant: dict[str, set[str]] = {}
        for value, title in column.words.items():
            for word in (fold(value), fold(title)):
                meant.setdefault(word, set()).add(value)
        assert not {w: v for w, v in meant.items() if len(v) > 1}, column.name
        assert not any(";" in title or "|" in title for title in column.words.values())


def test_a_workbook_that_is_damaged_anywhere_is_told_so(tmp_path: Path) -> None:
    """In any of its parts, at any place: refused with what to do, or read; never a traceback."""
    whole = tmp_path / "whole.xlsx"
    book = openpyxl.Workbook()
    for row in (["Mã xã", "Ngày"], ["24133", "30/06/2026"], ["24121", "01/07/2026"]):
        book.worksheets[0].append(row)
    book.save(whole)
    sound, refused = whole.read_bytes(), 0
    file = tmp_path / "a.xlsx"
    for at in range(30, len(sound), 61):
        file.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
        try:
            for _ in open_table(file).rows():
                pass
        except TableError as error:
            refused += 1
            assert str(error)
    assert refused > 10
