"""The signatures of a PDF: who signed, whether the bytes are those that were signed, who vouches.

Certificates are checked against the roots that are configured (`HOCVUSO_REPORT_TRUST_ROOTS`) and
nothing is fetched from elsewhere, so revocation is known only as far as the file itself carries it.
"""

import io
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

Json = dict[str, Any]
WORDS = ("valid", "valid-unknown-signer", "changed", "unreadable")
"""`valid`: whole and by somebody the roots vouch for; `valid-unknown-signer`: whole, nobody vouches;
`changed`: the bytes are others than those that were signed."""

logging.getLogger("pyhanko").setLevel(logging.ERROR)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)


def signatures(content: bytes, roots: str) -> list[Json]:
    """Each signature of a PDF with its verdict, in the order in which they were made. Takes a thread:
    the library runs an event loop of its own."""
    try:
        found = PdfFileReader(io.BytesIO(content), strict=False).embedded_signatures
    except (PdfError, SigningError, ValueError, KeyError, TypeError):
        return [{"verdict": "unreadable", "signer": None, "signed_at": None, "roots": bool(roots)}]
    return [_verdict(one, roots) for one in found if one.sig_object_type != "/DocTimeStamp"]


def _verdict(embedded: Any, roots: str) -> Json:
    said: Json = {"signer": None, "organisation": None, "signed_at": None, "roots": bool(roots)}
    try:
        embedded.compute_integrity_info()
        said |= _who(embedded.signer_cert)
        trust = ValidationContext(trust_roots=_roots(roots) if roots else [], allow_fetching=False)
        usage = KeyUsageConstraints(key_usage=set(), match_all_key_usages=False)
        status = validate_pdf_signature(embedded, trust, key_usage_settings=usage)
    except (PdfError, SigningError, SignatureValidationError, ValueError, KeyError, TypeError):  # fmt: skip
        return said | {"verdict": "unreadable"}
    at = status.signer_reported_dt
    said["signed_at"] = at.isoformat() if at else None
    if not status.intact or not status.valid:
        return said | {"verdict": "changed"}
    if status.modification_level is not None and not status.docmdp_ok:
        return said | {"verdict": "changed"}
    return said | {"verdict": "valid" if status.trusted else "valid-unknown-signer"}


def _who(certificate: Any) -> Json:
    """The names that a certificate gives; no number of a person is taken along."""
    native = certificate.subject.native
    return {
        "signer": _text(native.get("common_name")),
        "organisation": _text(native.get("organization_name")),
        "issuer": _text(certificate.issuer.native.get("common_name")),
    }


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        value = "; ".join(str(one) for one in value)
    return str(value)[:200] if value else None


@lru_cache(maxsize=4)
def _roots(path: str) -> tuple[Any, ...]:
    return tuple(load_certs_from_pemder([str(Path(path))]))  # type: ignore[no-untyped-call]
