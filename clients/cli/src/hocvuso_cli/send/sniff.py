"""What a file really is, whatever its name says: by its first bytes and what a ZIP holds."""

import zipfile
from pathlib import Path
from typing import Literal

from hocvuso_cli.language import say

Kind = Literal["xlsx", "text"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
START_BYTES = 4096


class TableError(ValueError):
    """A file that cannot be read as a table; the message says what it is and what to do."""


def kind_of(path: Path) -> Kind:
    """`xlsx`, or `text` (CSV). Raises TableError for every other kind of file."""
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    if start.startswith(_ZIP):
        return _of_zip(path)
    if start.startswith(_OLE):
        raise TableError(_ole(path))
    if start.startswith(b"%PDF"):
        raise TableError(_other("PDF", "PDF"))
    if path.suffix.lower() in (".xlsx", ".xlsm") and not _is_markup(start):
        raise TableError(
            say(
                vi="Tệp hỏng, không phải sổ tính XLSX. Hãy mở bằng Excel và lưu lại thành .xlsx.",
                en="The file is no XLSX workbook (it is damaged, or something else). Open it in"
                " Excel and save it as .xlsx.",
            )
        )
    if _is_markup(start):
        raise TableError(_markup(start))
    return "text"


def _of_zip(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            book = archive.read("xl/workbook.xml") if "xl/workbook.xml" in names else None
            mime = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except Exception:
        # Whatever a broken archive makes the library say.
        raise TableError(
            say(
                vi="Tệp hỏng, không phải sổ tính XLSX. Hãy mở bằng Excel và lưu lại thành .xlsx.",
                en="The file is no XLSX workbook (it is damaged). Open it in Excel and save it as"
                " .xlsx.",
            )
        ) from None
    if book is not None:
        if _STRICT in book:
            raise TableError(_other("Strict Open XML", "a Strict Open XML workbook"))
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise TableError(_other("Excel nhị phân (.xlsb)", "a binary workbook (.xlsb)"))
    if b"opendocument.spreadsheet" in mime:
        raise TableError(_other("bảng tính OpenDocument (.ods)", "an OpenDocument sheet (.ods)"))
    if any(name.startswith("word/") for name in names):
        raise TableError(_other("văn bản Word", "a Word document"))
    if "Index/Document.iwa" in names:
        raise TableError(_other("bảng tính Numbers", "a Numbers sheet"))
    raise TableError(_other("tệp nén ZIP", "a ZIP archive"))


def _ole(path: Path) -> str:
    """Excel 97-2003, or a workbook with a password: both are OLE files."""
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        return say(
            vi="Tệp có mật khẩu. Hãy mở bằng Excel, bỏ mật khẩu (Tệp > Thông tin > Bảo vệ) rồi lưu.",
            en="The workbook has a password. Open it in Excel, take the password off, and save it.",
        )
    if "WordDocument".encode("utf-16-le") in content:
        return _other("văn bản Word", "a Word document")
    return _other("Excel 97-2003 (.xls)", "an Excel 97-2003 workbook (.xls)")


def _is_markup(start: bytes) -> bool:
    text = _text(start)
    return text.startswith(("<", "mime-version:"))


def _markup(start: bytes) -> str:
    text = _text(start)
    if "office:spreadsheet" in text or 'progid="excel.sheet"' in text:
        return _other("XML Spreadsheet 2003", "an XML Spreadsheet 2003")
    return _other(
        "trang HTML được lưu với đuôi của bảng tính", "a web page (HTML) saved as a spreadsheet"
    )


def _text(start: bytes) -> str:
    encoding = "utf-16" if start.startswith(_UTF_16) else "utf-8-sig"
    return start.decode(encoding, "ignore").lstrip().lower()


def _other(vi: str, en: str) -> str:
    return say(
        vi=f"Tệp là {vi}, không đọc được ở đây. Hãy mở bằng Excel, chọn Lưu thành (Save As), loại"
        " Excel Workbook (.xlsx), rồi gửi tệp mới.",
        en=f"The file is {en}, which is not read here. Open it in Excel, save it as Excel Workbook"
        " (.xlsx), and send that.",
    )
