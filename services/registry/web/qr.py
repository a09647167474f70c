"""A QR code as SVG, to be scanned from one screen by another."""

import io

import segno
from markupsafe import Markup


def qr(text: str) -> Markup:
    """The picture as an `<svg>` element without styles of its own: the page's policy allows none."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, svgclass="qr", lineclass=None, omitsize=True,
        border=4, title="Mã QR của đường dẫn mời", dark="#000", light="#fff",
    )  # fmt: skip
    return Markup(out.getvalue().decode())  # noqa: S704 - made here, of escaped text
