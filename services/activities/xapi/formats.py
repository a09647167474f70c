"""The formats that xAPI gives to texts: IRI, UUID, language tag, time, duration. Pure.

Sources: xAPI 1.0.3 part 2 (adlnet/xAPI-Spec, xAPI-Data.md), sections 2.2 and 4; RFC 3987, 4122,
5646, 3339; ISO 8601:2004, 4.4.3.2. IRIs are checked by best effort, as section 2.2 allows.
"""

import re
from datetime import UTC, datetime

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MBOX = re.compile(r"mailto:[^@\s<>]+@[^@\s<>]+")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_SHA2 = re.compile(r"[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}")
_VERSION = re.compile(r"1\.0(?:\.(?:0|[1-9][0-9]*))?")
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:\s*;.*)?")
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"  # language, extended language
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"  # script, region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"  # private use
    r"|x(?:-[a-z0-9]{1,8})+"
    r"|en-gb-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)"
    r"|sgn-(?:be-fr|be-nl|ch-de)|art-lojban|cel-gaulish|no-bok|no-nyn|zh-(?:guoyu|hakka|min"
    r"|min-nan|xiang)",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_NUMBER = r"\d+(?:[.,]\d+)?"
_DURATION = re.compile(
    rf"P(?=[\dT])(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?|P{_NUMBER}W",
    re.ASCII,
)
_FRACTION = re.compile(r"[.,]\d+[A-Z](.*)")


def is_iri(text: str) -> bool:
    """An absolute IRI: a scheme and something after it, nothing that no IRI may hold."""
    return _IRI.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """A UUID in its standard string form, of any version."""
    return _UUID.fullmatch(text) is not None


def is_mbox(text: str) -> bool:
    """`mailto:` and one e-mail address."""
    return _MBOX.fullmatch(text) is not None


def is_sha1(text: str) -> bool:
    """A SHA-1 digest in hexadecimal."""
    return _SHA1.fullmatch(text) is not None


def is_sha2(text: str) -> bool:
    """A digest of SHA-224, -256, -384 or -512 in hexadecimal."""
    return _SHA2.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """A version of xAPI that is taken here: 1.0 or 1.0.x."""
    return _VERSION.fullmatch(text) is not None


def is_media_type(text: str) -> bool:
    """An Internet media type, with or without parameters."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """A well-formed language tag (RFC 5646, section 2.1), registered or not."""
    return _LANGUAGE.fullmatch(text) is not None


def is_duration(text: str) -> bool:
    """A duration with designators; only its last number may have a fraction, weeks stand alone."""
    if _DURATION.fullmatch(text) is None:
        return False
    fraction = _FRACTION.search(text)
    return fraction is None or not fraction[1]


def to_time(text: str) -> tuple[datetime, bool] | None:
    """A timestamp as (instant, whether it names its zone); None when it is none.

    Without a zone it is read as UTC, for ordering only. `-00:00` (RFC 3339: offset unknown) is no
    offset of ISO 8601 and is refused.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    if zone is not None and zone[0] == "-" and not zone.strip("-:0"):
        return None
    micro = f".{(fraction + '000000')[:6]}" if fraction else ""
    try:
        instant = datetime.fromisoformat(f"{day}T{clock}{micro}{(zone or 'Z').upper()}")
    except ValueError:
        return None
    if not 1 < instant.year < 9999:  # in another zone it might be no date
        return None
    return instant, zone is not None


def written(instant: datetime) -> str:
    """An instant as xAPI answers write it: UTC, milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
