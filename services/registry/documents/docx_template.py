"""Word templates that offices edit: checked when they come, filled without running anything in them.

A template may hold fields of `FIELDS` and nothing else in braces: no loops, filters or calls. It holds
no macro, no embedded object and no link to elsewhere.
"""

import io
import zipfile
import zlib
from typing import Any

from docx.opc.constants import RELATIONSHIP_TYPE
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from shared.problems import Problem

FIELDS = {
    "co_quan_cap_tren": "cơ quan cấp trên (để trống nếu không có)",
    "co_quan": "cơ quan ban hành",
    "ky_hieu": "ký hiệu văn bản, ví dụ BC-UBND",
    "dia_danh_ngay": "địa danh và ngày tháng năm",
    "trich_yeu": "trích yếu nội dung",
    "tam_tinh": "dấu dự thảo; trống khi số liệu đã chốt",
    "noi_dung": "toàn bộ nội dung báo cáo (một đoạn riêng)",
    "noi_nhan": "danh sách nơi nhận (một đoạn riêng)",
    "quyen_han": "quyền hạn của người ký, ví dụ TM. ỦY BAN NHÂN DÂN",
    "chuc_vu": "chức vụ của người ký",
    "nguoi_ky": "họ và tên người ký",
}
"""What a template may ask for -> what is filled in."""
NEEDED = ("noi_dung", "trich_yeu", "co_quan")
LARGEST = 5 * 1024 * 1024
UNPACKED = 50 * 1024 * 1024
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_FOREIGN = ("vbaproject", "embeddings/", "activex/", "oleobject")

_env = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)


def refuse(code: str, detail: str, hint: str) -> Problem:
    """The refusal of a template."""
    return Problem(code, detail, pointer="/template", hint=hint)


def check_package(content: bytes) -> zipfile.ZipFile:
    """A DOCX without macros, embedded objects and outside links, of bounded size; Problem otherwise."""
    if len(content) > LARGEST:
        raise too_large(len(content))
    package = package_of(content)
    if package is None:
        raise _no_docx()
    if sum(one.file_size for one in package.infolist()) > UNPACKED:
        raise refuse("template-too-large", "The template unpacks to more than 50 MB.", "Take large pictures out of it.")  # fmt: skip
    if active_part(package):
        raise refuse("template-with-macros", "The template holds macros or embedded objects.", "Save it in Word as .docx (Word Document) without them.")  # fmt: skip
    names = package.namelist()
    for name in names:
        if name.endswith(".rels") and _links(package.read(name)):
            raise refuse("template-with-links", "The template loads something from elsewhere.", "Embed pictures and detach the attached template.")  # fmt: skip
    return package


def too_large(size: int) -> Problem:
    """Of a template that nobody should have to wait for."""
    return refuse("template-too-large", f"The template has {size:,} bytes; at most {LARGEST:,} are taken.", "Take large pictures out of it.")  # fmt: skip


def package_of(content: bytes) -> zipfile.ZipFile | None:
    """A Word document's package; None for anything else."""
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
        names = package.namelist()
        types = package.read("[Content_Types].xml") if "[Content_Types].xml" in names else b""
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError):
        return None
    known = MAIN.encode() in types or b"macroEnabled" in types
    return package if known and "word/document.xml" in names else None


def active_part(package: zipfile.ZipFile) -> bool:
    """Whether a Word document holds macros, embedded objects or controls."""
    names = [name.lower() for name in package.namelist()]
    types = package.read("[Content_Types].xml")
    return any(part in name for name in names for part in _FOREIGN) or b"macroEnabled" in types


def _links(rels: bytes) -> bool:
    """Whether a part's relations lead outside; hyperlinks may."""
    found = rels.split(b"<Relationship ")
    return any(b'TargetMode="External"' in one and RELATIONSHIP_TYPE.HYPERLINK.encode() not in one for one in found)  # fmt: skip


def _no_docx() -> Problem:
    return refuse(
        "template-no-docx", "The file is no Word document (.docx).", "Save it in Word as .docx."
    )


def check_template(content: bytes) -> list[str]:
    """The fields that a template asks for; a Problem that names what is wrong with it."""
    check_package(content)
    try:
        template = DocxTemplate(io.BytesIO(content))
        template.init_docx()
        sources = [template.patch_xml(template.get_xml())]
        for uri in (template.HEADER_URI, template.FOOTER_URI):
            sources += [template.patch_xml(xml) for _, xml in _parts(template, uri)]
    except Exception as error:  # a package that python-docx cannot open raises whatever lxml does
        raise _no_docx() from error
    found: list[str] = []
    for source in sources:
        found += [name for name in _names(source) if name not in found]
    unknown = [name for name in found if name not in FIELDS]
    if unknown:
        raise refuse("template-field-unknown", f"The template asks for fields that no report has: {', '.join(unknown[:10])}.", f"Fields: {', '.join(FIELDS)}.")  # fmt: skip
    lacking = [name for name in NEEDED if name not in found]
    if lacking:
        raise refuse("template-field-missing", f"The template lacks fields that every report needs: {', '.join(lacking)}.", "Write each in double braces, as {{ noi_dung }}.")  # fmt: skip
    return found


def _parts(template: Any, uri: str) -> list[tuple[str, str]]:
    return [(key, template.get_part_xml(part)) for key, part in template.get_headers_footers(uri)]


def _names(source: str) -> list[str]:
    """The fields of one part; anything in braces that is no plain field is refused."""
    try:
        tree = _env.parse(source)
    except TemplateError as error:
        raise refuse("template-broken", f"A field of the template is not written right: {error.message}.", "Write fields as {{ noi_dung }}.") from None  # fmt: skip
    names: list[str] = []
    for node in tree.body:
        plain = isinstance(node, nodes.Output) and all(
            isinstance(one, nodes.TemplateData | nodes.Name) for one in node.nodes
        )
        if not plain:
            raise refuse("template-with-code", "The template holds more than fields: loops, conditions or calculations.", "Write fields only, as {{ noi_dung }}.")  # fmt: skip
        names += [one.name for one in node.find_all(nodes.Name)]
    return names


def fill(content: bytes, values: dict[str, str]) -> Any:
    """The template's document with its fields filled, as python-docx has it; `content` was checked."""
    template = DocxTemplate(io.BytesIO(content))
    template.render(values, jinja_env=_env, autoescape=True)
    return template.docx
