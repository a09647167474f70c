"""JSON texts after the style of JSONTestSuite: what RFC 8259 takes (`y`), refuses (`n`), and leaves
open (`i`). Each is the value of a member of an event's data, so that it goes through the whole door.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["y", "n", "i"]


@dataclass(frozen=True)
class Case:
    """One text and what a reader owes it."""

    verdict: Verdict
    name: str
    text: bytes


_YES: dict[str, bytes] = {
    "array-empty": b"[]", "array-spaces": b"[ \t\r\n]", "array-null": b"[null]",
    "array-several": b"[1,null,\"a\",true,false,{}]", "object-empty": b"{}",
    "object-nested": b'{"a":{"b":{"c":[{}]}}}', "object-empty-key": b'{"":0}',
    "object-escaped-key": b'{"\\u0061b":1}', "object-long-key": b'{"' + b"k" * 500 + b'":0}',
    "number-zero": b"0", "number-minus-zero": b"-0", "number-negative": b"-123",
    "number-fraction": b"0.000001", "number-exponent": b"1e2", "number-exponent-plus": b"1E+2",
    "number-exponent-minus": b"123e-10", "number-real": b"123.456789",
    "string-empty": b'""', "string-escapes": b'"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    "string-unicode": '"Nguyễn Thị Ánh"'.encode(), "string-unicode-escape": b'"\\u1ec5"',
    "string-pair": b'"\\uD83D\\uDE00"', "string-astral": '"😀"'.encode(),
    "string-delete": b'"\x7f"', "string-noncharacter": "\"\uffff\"".encode(),
    "string-line-separator": "\"\u2028\u2029\"".encode(), "string-nbsp": "\"\u00a0\"".encode(),
    "string-slash": b'"a/b"', "string-comment": b'"/* no comment */"',
    "literal-true": b"true", "literal-false": b"false", "literal-null": b"null",
}  # fmt: skip

_NO: dict[str, bytes] = {
    "array-comma-last": b"[1,]", "array-comma-first": b"[,1]", "array-comma-double": b"[1,,2]",
    "array-comma-alone": b"[,]", "array-colon": b'["a":1]', "array-unclosed": b"[1",
    "array-closed-twice": b"[1]]", "array-no-comma": b"[1 2]", "array-star": b"[*]",
    "object-comma-last": b'{"a":0,}', "object-comma-double": b'{"a":0,,"b":1}',
    "object-no-colon": b'{"a" 0}', "object-no-value": b'{"a":}', "object-key-number": b"{1:1}",
    "object-key-bare": b"{a:1}", "object-key-single": b"{'a':1}", "object-comment": b'{"a":0/**/}',
    "object-line-comment": b'{"a":0}//', "object-unclosed": b'{"a":1', "object-colon-double": b'{"a"::1}',
    "object-trailing-hash": b'{"a":1}#', "number-plus": b"+1", "number-leading-zero": b"012",
    "number-minus-leading-zero": b"-012", "number-point-last": b"1.", "number-point-first": b".5",
    "number-minus-alone": b"-", "number-double-minus": b"--1", "number-hex": b"0x1",
    "number-exponent-empty": b"1e", "number-exponent-sign": b"1e+", "number-nan": b"NaN",
    "number-infinity": b"Infinity", "number-minus-infinity": b"-Infinity", "number-comma": b"1,5",
    "number-with-space": b"1 000", "number-fullwidth": "１".encode(), "number-expression": b"1+2",
    "string-tab": b'"\t"', "string-newline": b'"\n"', "string-null-byte": b'"\x00"',
    "string-unclosed": b'"a', "string-single": b"'a'", "string-escape-x": b'"\\x00"',
    "string-escape-capital": b'"\\U0041"', "string-escape-half": b'"\\u00A"',
    "string-escape-none": b'"\\a"', "string-escape-end": b'"\\"', "string-backtick": b"`a`",
    "string-invalid-utf-8": b'"\xff"', "string-lone-continuation": b'"\x80"',
    "string-overlong": b'"\xc0\xaf"', "string-utf-8-surrogate": b'"\xed\xa0\x80"',
    "string-truncated-utf-8": b'"\xe0\xff"', "string-beyond-unicode": b'"\xf4\xbf\xbf\xbf"',
    "literal-capital": b"True", "literal-upper": b"NULL", "literal-short": b"nul",
    "literal-none": b"None", "literal-undefined": b"undefined", "nothing": b"",
    "white-form-feed": b"[\x0c]", "white-nbsp": "[\u00a0]".encode(), "white-bom": b"\xef\xbb\xbf[]",
    "white-zero-width": "[\u200b]".encode(), "garbage-after": b"1 x", "brace-alone": b"{",
    "bracket-alone": b"]", "ampersand": b"&",
}  # fmt: skip

_OPEN: dict[str, bytes] = {
    "number-huge-exponent": b"1e9999", "number-minus-huge-exponent": b"-1e9999",
    "number-tiny-exponent": b"123.456e-789", "number-very-long": b"1" * 400,
    "number-many-digits": b"0." + b"1" * 400, "number-beyond-64-bits": b"18446744073709551616",
    "object-same-key": b'{"a":1,"a":2}', "object-same-key-escaped": b'{"a":1,"\\u0061":2}',
    "string-lone-surrogate": b'"\\uD800"', "string-inverted-pair": b'"\\uDE00\\uD83D"',
    "string-escaped-null": b'"\\u0000"', "array-deep": b"[" * 500 + b"]" * 500,
    "array-very-deep": b"[" * 50_000 + b"]" * 50_000,
    "object-deep": b'{"a":' * 500 + b"1" + b"}" * 500,
    "object-very-deep": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
}  # fmt: skip


def cases() -> Iterator[Case]:
    """All of them."""
    kinds: tuple[tuple[Verdict, dict[str, bytes]], ...] = (("y", _YES), ("n", _NO), ("i", _OPEN))
    for verdict, texts in kinds:
        for name, text in texts.items():
            yield Case(verdict, f"{verdict}-{name}", text)


def event(case: Case) -> bytes:
    """An event that holds the text as a member of its data."""
    return (
        b'{"specversion":"1.0","id":"' + case.name.encode() + b'",'
        b'"source":"https://congan.daklak.example/vneid","type":"vn.hocvuso.class.held",'
        b'"subject":"24133","time":"2026-06-30T08:00:00+07:00","data":{"participants":1,"note":'
        + case.text
        + b"}}"
    )


UNREADABLE = frozenset({"json-invalid", "json-not-utf8", "encoding-invalid", "not-utf-8"})
"""Codes that say that a text is no JSON; every other refusal has read it."""


READ = frozenset({200, 201, 409, 413, 422})
"""Statuses of what was read, whatever its content then was."""


def judge(case: Case, status: int, code: str | None) -> str | None:
    """What is wrong with an answer to a case; None when nothing is."""
    if status >= 500:
        return f"{case.name}: HTTP {status}"
    unreadable = status == 400
    if case.verdict == "n" and not unreadable:
        return f"{case.name}: HTTP {status} {code}, not refused as JSON"
    if case.verdict == "y" and (status not in READ or code in UNREADABLE):
        return f"{case.name}: HTTP {status} {code}, though it is JSON"
    return None
