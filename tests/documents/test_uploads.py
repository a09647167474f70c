"""Files that come from outside: what is taken, what is refused and why, and who signed."""

import io
import sys
import zipfile
from pathlib import Path

import pytest

from services.registry.documents import pdf, word
from services.registry.documents.signatures import signatures
from services.registry.documents.upload_checks import EICAR, LARGEST, check_file, scan
from shared.problems import Problem
from tests.documents.pdfs import SIGNER, plain_pdf, signed_pdf, with_script


def refused(content: bytes) -> str:
    with pytest.raises(Problem) as caught:
        check_file(content)
    assert caught.value.pointer == "/file" and caught.value.hint
    return caught.value.code


def docx(**parts: bytes) -> bytes:
    out = io.BytesIO()
    old = zipfile.ZipFile(io.BytesIO(word.shipped(party=False)))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one, old.read(one))
        for name, content in parts.items():
            new.writestr(name.replace("__", "/").replace("--", "."), content)
    return out.getvalue()


def test_what_is_taken() -> None:
    assert check_file(plain_pdf()) == pdf.MEDIA_TYPE
    assert check_file(signed_pdf()[0]) == pdf.MEDIA_TYPE
    assert check_file(docx()) == word.MEDIA_TYPE


def test_what_is_refused() -> None:
    assert refused(b"MZ program") == "file-kind"
    assert refused(b"") == "file-kind"
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as package:
        package.writestr("x.txt", "x")
    assert refused(empty.getvalue()) == "file-kind"
    assert refused(b"%PDF-1.7\n" + b" " * (LARGEST + 1)) == "file-too-large"
    assert refused(b"%PDF-1.7\nno more of it") == "file-broken"
    assert refused(EICAR) == "file-infected"
    assert refused(docx(**{"word__media__x--txt": EICAR})) == "file-infected"
    assert refused(docx(**{"word__vbaProject--bin": b"x"})) == "file-active"
    assert refused(docx(**{"word__embeddings__o--bin": b"x"})) == "file-active"
    assert refused(with_script()) == "file-active"


def test_who_signed_and_whether_the_bytes_are_those(tmp_path: Path) -> None:
    content, pem = signed_pdf()
    roots = tmp_path / "roots.pem"
    roots.write_bytes(pem)
    (found,) = signatures(content, str(roots))
    assert (found["verdict"], found["signer"]) == ("valid", SIGNER)
    assert found["organisation"] == "UBND phường Mẫu" and found["signed_at"]
    (found,) = signatures(content, "")
    assert found["verdict"] == "valid-unknown-signer"
    # A byte of the page that was signed is another one now.
    (found,) = signatures(content.replace(b"10 10 l", b"10 99 l"), str(roots))
    assert found["verdict"] == "changed"
    assert signatures(plain_pdf(), "") == []
    assert signatures(b"%PDF-1.7\nbroken", "")[0]["verdict"] == "unreadable"


async def test_the_scanner_of_the_office_is_asked(tmp_path: Path) -> None:
    program = tmp_path / "scanner.py"
    program.write_text("import sys; sys.exit(1 if b'harm' in sys.stdin.buffer.read() else 0)")
    command = f"{sys.executable} {program}"
    assert await scan("", b"harm") == ""
    assert (await scan(command, b"fine")).startswith("python")
    for asked, content, code in (
        (command, b"harm", "file-infected"),
        (str(tmp_path / "none"), b"fine", "scanner-failed"),
    ):
        with pytest.raises(Problem) as caught:
            await scan(asked, content)
        assert caught.value.code == code
