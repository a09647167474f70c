"""What is looked at before a signed file is stored: its kind, its size, and what it would run.

No virus scanner is built in. What is refused here are the EICAR test file and every file that carries
something to run: macros, embedded objects, scripts and launch actions. A scanner of the office's own
is asked besides where one is configured (`HOCVUSO_REPORT_SCANNER`).
"""

import asyncio
import io
import shlex
import subprocess
import zipfile
from collections.abc import Iterator
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from services.registry.documents import pdf, word
from services.registry.documents.docx_template import active_part, package_of
from shared.problems import Problem

LARGEST = 15 * 1024 * 1024
"""Bytes of a signed file: a scan of forty pages; what stands in front of the service takes 16 MiB."""
OBJECTS = 300_000
"""Objects of a PDF that are looked at; none that a person writes has more."""
SCANNER_SECONDS = 60
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/Rendition", "/Movie"}
)
_KEYS = frozenset({"/JavaScript", "/JS", "/EmbeddedFiles", "/EF", "/RichMediaContent", "/XFA"})


def refuse(code: str, detail: str, hint: str, status: int = 422) -> Problem:
    """The refusal of a file, beside its field."""
    return Problem(code, detail, status=status, pointer="/file", hint=hint)


def too_large(size: int) -> Problem:
    """Of a file that nobody should have to wait for."""
    return refuse("file-too-large", f"The file has {size:,} bytes; at most {LARGEST:,} are taken.", "Scan it in black and white at 200 dpi, or leave pictures out.", 413)  # fmt: skip


def check_file(content: bytes) -> str:
    """The media type of a file that may be stored: a PDF or a DOCX without anything to run."""
    if len(content) > LARGEST:
        raise too_large(len(content))
    if EICAR in content:
        raise infected("EICAR")
    if content[:1024].lstrip().startswith(b"%PDF-"):
        check_pdf(content)
        return pdf.MEDIA_TYPE
    if content.startswith(b"PK\x03\x04"):
        _check_docx(content)
        return word.MEDIA_TYPE
    raise _neither()


def infected(name: str) -> Problem:
    """Of a file in which something harmful was found."""
    return refuse("file-infected", f"Something harmful was found in the file: {name}.", "Clean the computer that it comes from; the file was not stored.")  # fmt: skip


def _neither() -> Problem:
    return refuse("file-kind", "The file is neither a PDF nor a Word document (.docx).", "Send the signed document as PDF, or as .docx.")  # fmt: skip


def _check_docx(content: bytes) -> None:
    package = package_of(content)
    if package is None:
        raise _neither()
    if active_part(package):
        raise refuse("file-active", "The Word document holds macros or embedded objects.", "Save it in Word as .docx without them, or as PDF.")  # fmt: skip
    if infected_part(package):
        raise infected("EICAR")


def infected_part(package: zipfile.ZipFile) -> bool:
    """Whether the test file for virus scanners lies packed in a document."""
    small = (one for one in package.infolist() if one.file_size <= LARGEST)
    return any(EICAR in package.read(one) for one in small)


def check_pdf(content: bytes) -> None:
    """Refuse a PDF that cannot be read, is locked, or would run something."""
    try:
        reader = PdfFileReader(io.BytesIO(content), strict=False)
        if reader.encrypted:
            raise refuse("file-locked", "The PDF is encrypted.", "Save it without a password.")
        found = next((name for name in _active(reader)), None)
    except Problem:
        raise
    except (PdfError, ValueError, KeyError, TypeError, IndexError, RecursionError, NotImplementedError):  # fmt: skip
        raise refuse("file-broken", "The PDF cannot be read.", "Save or scan it again.") from None
    if found is not None:
        raise refuse("file-active", f"The PDF holds something to run: {found}.", "Print it to PDF again, without scripts and attachments.")  # fmt: skip


def _active(reader: PdfFileReader) -> Iterator[str]:
    """Names of what would run, over all objects that the document's root leads to."""
    queue: list[Any] = [reader.root]
    seen: set[Any] = set()
    looked = 0
    while queue:
        one = queue.pop()
        looked += 1
        if looked > OBJECTS:
            yield "too many objects"
            return
        if isinstance(one, generic.IndirectObject):
            place = (one.idnum, one.generation)
            if place not in seen:
                seen.add(place)
                queue.append(one.get_object())  # type: ignore[no-untyped-call]
        elif isinstance(one, generic.DictionaryObject):
            for key in one:
                if key in _KEYS:
                    yield str(key)
            action = one.raw_get("/S") if "/S" in one else None
            if action in _ACTIONS:
                yield str(action)
            queue.extend(one.raw_get(key) for key in one)
        elif isinstance(one, generic.ArrayObject):
            queue.extend(one.raw_get(i) for i in range(len(one)))


async def scan(command: str, content: bytes) -> str:
    """What looked at a file: "" where no scanner is configured. Raises Problem where it finds something,
    or cannot say: then nothing is stored.

    The command reads the file from its input and ends with 0 (clean) or 1 (infected), as
    `clamdscan --no-summary -` does.
    """
    if not command:
        return ""
    arguments = shlex.split(command)
    try:
        done = await asyncio.to_thread(_run, arguments, content)
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done == 1:
        raise infected("found by the scanner")
    if done != 0:
        raise Problem("scanner-failed", "The virus scanner did not answer; the file was not stored.", status=503, pointer="/file", hint="Try again; tell whoever runs the system.", retryable=True, retry_after=30)  # fmt: skip
    return arguments[0].rpartition("/")[2]


def _run(arguments: list[str], content: bytes) -> int:
    return subprocess.run(arguments, input=content, capture_output=True, check=False, timeout=SCANNER_SECONDS).returncode  # fmt: skip
