"""A Word document as PDF, by LibreOffice where this machine has it: an optional part."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from shared.problems import Problem

MEDIA_TYPE = "application/pdf"
SECONDS = 60
_one_at_a_time = asyncio.Semaphore(1)


def converter() -> str | None:
    """The program that turns documents into PDF; None where it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


async def to_pdf(document: bytes) -> bytes:
    """The document's pages. Raises Problem 501 where nothing here makes PDF, 503 where it failed.

    One at a time: a conversion takes seconds and a processor.
    """
    program = converter()
    if program is None:
        raise Problem(
            "pdf-not-available",
            "This instance makes no PDF: LibreOffice is not installed beside it.",
            status=501,
            pointer="/format",
            hint="Take format=docx and save it as PDF in Word.",
        )
    async with _one_at_a_time:
        return await _convert(program, document)


async def _convert(program: str, document: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="hocvuso-pdf-") as folder:
        source = Path(folder) / "report.docx"
        await asyncio.to_thread(source.write_bytes, document)
        # A profile of its own: no settings of whoever runs it, no lock of another process.
        process = await asyncio.create_subprocess_exec(
            program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--norestore",
            "--convert-to", "pdf", "--outdir", folder, str(source),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(SECONDS):
                await process.wait()
            return await asyncio.to_thread((Path(folder) / "report.pdf").read_bytes)
        except (TimeoutError, FileNotFoundError):
            raise Problem(
                "pdf-failed",
                "LibreOffice did not turn the document into PDF.",
                status=503,
                hint="Take format=docx, or ask again.",
                retryable=True,
                retry_after=5,
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
