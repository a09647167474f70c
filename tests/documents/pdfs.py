# mypy: disable-error-code="no-untyped-call, import-untyped"
"""PDF files for tests: plain, signed by a certificate made here, changed after signing, with scripts."""

import functools
import io
from datetime import UTC, datetime, timedelta

from asn1crypto import keys, x509
from cryptography import x509 as made
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

SIGNER = "Nguyễn Văn Mẫu"


def plain_pdf(text: str = "Báo cáo", **root: generic.PdfObject) -> bytes:
    """One page; `root`: more entries of the document's root, without the slash."""
    writer = PdfFileWriter()
    content = RawContent(f"% {text}\n0 0 m 10 10 l S".encode(), box=BoxConstraints(595, 842))
    stream = writer.add_object(generic.StreamObject(stream_data=content.render()))
    writer.insert_page(PageObject(contents=stream, media_box=generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))))  # fmt: skip
    for name, value in root.items():
        writer.root[f"/{name}"] = value
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def with_script() -> bytes:
    """A PDF that runs JavaScript when it is opened."""
    action = generic.DictionaryObject(
        {
            generic.pdf_name("/S"): generic.pdf_name("/JavaScript"),
            generic.pdf_name("/JS"): generic.pdf_string("app.alert(1)"),
        }
    )
    return plain_pdf(OpenAction=action)


@functools.cache
def _identity() -> tuple[bytes, bytes, bytes]:
    """Key and certificate of a signer as DER, and the certificate as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = made.Name(
        [
            made.NameAttribute(NameOID.COMMON_NAME, SIGNER),
            made.NameAttribute(NameOID.ORGANIZATION_NAME, "UBND phường Mẫu"),
        ]
    )
    now = datetime.now(UTC)
    certificate = (
        made.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(made.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(made.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate.public_bytes(serialization.Encoding.DER),
        certificate.public_bytes(serialization.Encoding.PEM),
    )


def signed_pdf(text: str = "Báo cáo") -> tuple[bytes, bytes]:
    """A signed PDF, and the PEM certificate of whoever signed it. Not inside a running event loop's
    thread: the library runs one of its own, so tests of routes call it through here, in a thread."""
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(_sign, text).result()


def _sign(text: str) -> tuple[bytes, bytes]:
    key, certificate, pem = _identity()
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(certificate),
        signing_key=keys.PrivateKeyInfo.load(key),
        cert_registry=SimpleCertificateStore(),
    )
    out = signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(plain_pdf(text))),
        signers.PdfSignatureMetadata(field_name="ChuKy"),
        signer=signer,
    )
    return bytes(out.getvalue()), pem
