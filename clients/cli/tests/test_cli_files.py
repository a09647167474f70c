"""Files that are not what their names say, and what a spreadsheet hides: named, never in silence."""

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from activities import Activities, running
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner

from hocvuso_cli.app import app
from hocvuso_cli.send.cells import Fault
from hocvuso_cli.send.columns import layout
from hocvuso_cli.send.mapping import knows
from hocvuso_cli.send.sniff import TableError
from hocvuso_cli.send.tables import open_table

HEAD = ["subject", "time", "participants"]
ROWS = [["24133", "30/06/2026", "12"], ["24133", "01/07/2026", "7"], ["24133", "02/07/2026", "9"]]
HELD = layout("class.held")


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return path


def book(path: Path, rows: list[list[Any]], change: Any = None) -> Path:
    made = openpyxl.Workbook()
    sheet: Worksheet = made.worksheets[0]
    for row in rows:
        sheet.append(row)
    if change is not None:
        change(sheet)
    made.save(path)
    return path


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
FOREIGN = {
    "Excel 97-2003": OLE,
    "mật khẩu": OLE + "EncryptedPackage".encode("utf-16-le"),
    "HTML": b"<html><table><tr><td>subject</td></tr></table></html>",
    "(HTML)": b"\xef\xbb\xbf\r\n <!DOCTYPE html><table>",
    "XML Spreadsheet 2003": b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
    "PDF": b"%PDF-1.7",
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("end", ["xls", "xlsx", "csv"])
def test_what_the_file_is_and_what_to_do(tmp_path: Path, name: str, end: str) -> None:
    file = tmp_path / f"a.{end}"
    file.write_bytes(FOREIGN[name])
    with pytest.raises(TableError) as caught:
        open_table(file)
    assert name.strip("()") in str(caught.value).replace("Tệp có mật khẩu", "mật khẩu")
    assert "Excel" in str(caught.value)


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"xl__workbook_xml": '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>'},
         "Strict Open XML"),
        ({"xl__workbook_bin": "x"}, ".xlsb"),
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}, ".ods"),
        ({"word__document_xml": "x"}, "Word"),
        ({"anything": "x"}, "ZIP"),
    ],
)  # fmt: skip
def test_what_an_archive_is(tmp_path: Path, members: dict[str, str], word: str) -> None:
    with pytest.raises(TableError, match=word):
        open_table(zipped(tmp_path / "a.xlsx", **members))


def test_a_workbook_or_a_text_named_xls_is_read(tmp_path: Path) -> None:
    made = book(tmp_path / "a.xlsx", [HEAD, *ROWS]).rename(tmp_path / "a.xls")
    assert [cells for _, cells in open_table(made).rows()] == ROWS
    text = tmp_path / "b.xls"
    text.write_text("\n".join("\t".join(row) for row in [HEAD, *ROWS]), encoding="utf-16")
    assert [cells for _, cells in open_table(text).rows()] == ROWS


@pytest.mark.parametrize(
    "above",
    [
        "Báo cáo tháng 6, năm 2026, xã Tân An, tỉnh Đắk Lắk\n",
        "Kính gửi: Sở, ban, ngành, đoàn thể, mặt trận\n\nTháng 6, 7, 8, 9\n",
        "",
    ],
)
@pytest.mark.parametrize("letter", [";", ",", "\t"])
def test_titles_with_commas_hide_neither_separator_nor_header(
    tmp_path: Path, above: str, letter: str
) -> None:
    file = tmp_path / "a.csv"
    body = "\n".join(letter.join(row) for row in [HEAD, *ROWS])
    file.write_text(above + body, encoding="utf-8")
    table = open_table(file).headed(knows(HELD))
    assert (table.delimiter, list(table.headers)) == (letter, HEAD)
    assert [cells for _, cells in table.rows()] == ROWS


def test_titles_of_a_workbook_in_two_cells(tmp_path: Path) -> None:
    """As every official document begins: who writes, and the motto of the state beside it."""
    titles = [["UBND XÃ TÂN AN", None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"], [None], ["Số: 12"]]
    table = open_table(book(tmp_path / "a.xlsx", [*titles, HEAD, *ROWS])).headed(knows(HELD))
    assert table.first == 4 and [number for number, _ in table.rows()] == [5, 6, 7]


@pytest.mark.parametrize(
    ("line", "letter"),
    [("sep=;", ";"), ("sep=\t", "\t"), ("sep=TAB", "\t"), ("SEP=,", ","), ('"sep=;"', ";"),
     ("sep=|", "|"), (r"sep=\t", "\t")],
)  # fmt: skip
def test_a_line_that_names_the_separator(tmp_path: Path, line: str, letter: str) -> None:
    file = tmp_path / "a.csv"
    body = "\r\n".join(letter.join(row) for row in [HEAD, *ROWS])
    file.write_text(f"{line}\r\n{body}", encoding="utf-8-sig", newline="")
    table = open_table(file)
    assert table.headers == tuple(HEAD) and [cells for _, cells in table.rows()] == ROWS


def test_rows_of_spaces_are_no_rows(tmp_path: Path) -> None:
    blank = ["  ", "\u00a0", "\u200b"]
    file = book(tmp_path / "a.xlsx", [HEAD, ROWS[0], blank, ROWS[1], blank])
    assert [number for number, _ in open_table(file).rows()] == [2, 4]
    text = tmp_path / "a.csv"
    with text.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([HEAD, ROWS[0], blank, ROWS[1]])
    assert [number for number, _ in open_table(text).rows()] == [2, 4]


def test_an_apostrophe_before_a_number_is_a_mark(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("subject,note\n'00123,'một hai'\n'=1+1,'x\n", encoding="utf-8")
    assert [cells for _, cells in open_table(file).rows()] == [
        ["00123", "'một hai'"], ["=1+1", "'x"],
    ]  # fmt: skip


def test_merged_cells_are_faults_but_for_the_one_that_holds_the_value(tmp_path: Path) -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("A2:A3")
        sheet.merge_cells("A6:C6")

    file = book(tmp_path / "a.xlsx", [HEAD, *ROWS], merge)
    rows = dict(open_table(file).rows())
    assert rows[2][0] == "24133" and isinstance(rows[3][0], Fault)
    assert "gộp" in rows[3][0].why and rows[4][0] == "24133"
    assert set(rows) == {2, 3, 4}  # an empty merged row is no row


def hide(sheet: Worksheet) -> None:
    sheet.row_dimensions[2].hidden = True
    sheet.row_dimensions[4].hidden = True
    sheet.row_dimensions[9].hidden = True


def test_hidden_rows_are_counted(tmp_path: Path) -> None:
    table = open_table(book(tmp_path / "a.xlsx", [HEAD, *ROWS], hide))
    assert table.hidden == 2 and table.is_hidden(2) and not table.is_hidden(3)
    assert table.count() >= 3


@pytest.fixture
def service() -> Iterator[Activities]:
    with running() as state:
        yield state


def send(service: Activities, file: Path, *more: str) -> Any:
    key = file.with_name("key")
    key.write_text("\ufeffhv_a_b\r\n", encoding="utf-8")
    words = [
        "send",
        str(file),
        "--type",
        "class.held",
        "--url",
        service.url,
        "--key-file",
        str(key),
    ]
    return CliRunner().invoke(app, [*words, *more])


def test_hidden_rows_are_said_and_may_be_left_out(service: Activities, tmp_path: Path) -> None:
    file = book(tmp_path / "a.xlsx", [HEAD, *ROWS], hide)
    first = send(service, file, "--hidden-rows", "skip")
    assert first.exit_code == 0 and len(service.log) == 1
    assert "2 dòng ẩn, không gửi" in first.output
    second = send(service, file)
    assert "2 dòng đang bị ẩn hoặc bị lọc cũng được gửi" in second.output
    assert len(service.log) == 3


def cells(path: Path) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_verdicts_are_vietnamese_and_english_by_option(service: Activities, tmp_path: Path) -> None:
    rows = [[*ROWS[0]], ["99999", "30/06/2026", "1"], ["24133", "30/02/2026", "1"]]
    file = book(tmp_path / "a.xlsx", [HEAD, *rows])
    done = send(service, file)
    assert "3 dòng: đã nhận 1, đã có từ trước 0, bị từ chối 2" in done.output
    result = cells(tmp_path / "a.results.xlsx")
    at = result[0].index("Kết quả [result.status]")
    assert [row[at] for row in result[1:]] == ["đã nhận", "bị từ chối", "bị từ chối"]
    texts = [row[result[0].index("Vấn đề [result.problem]")] for row in result[1:]]
    assert texts[1] == "Mã đơn vị: Không có đơn vị nào mang mã này. [unit-unknown]"
    assert "Không có ngày này" in texts[2]
    done = send(service, file, "--lang", "en")
    assert "3 lines: accepted 0, duplicate 1, rejected 2" in done.output
    result = cells(tmp_path / "a.results.xlsx")
    assert [row[result[0].index("Result [result.status]")] for row in result[1:]] == [
        "duplicate", "rejected", "rejected",
    ]  # fmt: skip
    assert "No unit." in result[2][result[0].index("Problem [result.problem]")]


def test_templates_speak_both_languages(tmp_path: Path) -> None:
    for language, sheets, title in (
        ("vi", ["Dữ liệu", "Hướng dẫn"], "Mã đơn vị [subject]"),
        ("en", ["Data", "How to"], "Code of the unit (5 digits for a commune) [subject]"),
    ):
        out = tmp_path / f"{language}.xlsx"
        words = ["send", "--template", "class.held", "--out", str(out), "--lang", language]
        assert CliRunner().invoke(app, words).exit_code == 0
        made = openpyxl.load_workbook(out)
        assert [s.title for s in made.worksheets if s.sheet_state == "visible"] == sheets
        assert title in [cell.value for cell in made.worksheets[0][1]]
        assert open_table(out).type == "class.held" and list(open_table(out).headers)
