"""Every kind of bad event, as bytes: each must have its own clear answer, on every way in."""

import json
from typing import Any

from tests.activities.fake import CCCD, PHONE, event


def _j(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _data(**changes: Any) -> bytes:
    base: dict[str, Any] = event()["data"]
    made = {**base, **changes}
    return _j(event(data={name: value for name, value in made.items() if value is not None}))


def _of(type_name: str, data: dict[str, Any], **changes: Any) -> bytes:
    return _j(event(type=f"vn.hocvuso.{type_name}", data=data, **changes))


_WHOLE = _j(event())

NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{specversion: 1.0}",
    "cut off": _WHOLE[:-10],
    "trailing": _WHOLE + b"x",
    "BOM": b"\xef\xbb\xbf" + _WHOLE,
    "UTF-16": json.dumps(event()).encode("utf-16"),
    "nested 20000 deep": b'{"data":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
}
"""Broken as a whole: nothing around it can be told apart either."""

BAD: dict[str, bytes] = {
    "invalid UTF-8": _WHOLE.replace(b"vneid", b"vn\xffid"),
    "nested 100 deep": _WHOLE.replace(b'"vneid"}}', b'"vneid","x":' + b"[" * 100 + b"]" * 100 + b"}}"),
    "NaN": _WHOLE.replace(b'["adult"]', b"NaN"),
    "Infinity": _WHOLE.replace(b'["adult"]', b"[-Infinity]"),
    "huge integer": _WHOLE.replace(b'["adult"]', b"123456789012345678901234567890"),
    "huge float": _WHOLE.replace(b'["adult"]', b"1e999"),
    "lone surrogate": _WHOLE.replace(b'"adult"', b'"\\ud800"'),
    "NUL": _WHOLE.replace(b'"adult"', b'"a\\u0000"'),
    "duplicate key": _WHOLE.replace(b'"subject"', b'"id":"other","subject"'),
    "a number": b"17",
    "an array": b"[]",
    "too large": _data(note="x" * 300_000),
    "no specversion": _j(event(specversion=None)),
    "specversion 0.3": _j(event(specversion="0.3")),
    "no id": _j(event(id=None)),
    "id empty": _j(event(id="")),
    "id a number": _j(event(id=17)),
    "id too long": _j(event(id="x" * 300)),
    "id with a control character": _j(event(id="a\tb")),
    "id an identity number": _j(event(id=f"x-{CCCD}")),
    "id a phone number": _j(event(id=PHONE)),
    "no source": _j(event(source=None)),
    "source relative": _j(event(source="/vneid")),
    "source with a phone number": _j(event(source=f"https://x.example/{PHONE}")),
    "no type": _j(event(type=None)),
    "type unknown": _j(event(type="vn.hocvuso.citizen.certifed")),
    "type without prefix": _j(event(type="citizen.certified")),
    "type an identity number": _j(event(type=CCCD)),
    "no subject": _j(event(subject=None)),
    "subject an identity number": _j(event(subject=CCCD)),
    "no time": _j(event(time=None)),
    "time without offset": _j(event(time="2026-06-30T09:12:00")),
    "time a date": _j(event(time="2026-06-30")),
    "time impossible": _j(event(time="2026-02-30T09:12:00+07:00")),
    "time in year 1": _j(event(time="0001-01-01T00:00:00+07:00")),
    "time in 1999": _j(event(time="1999-12-31T00:00:00+07:00")),
    "time tomorrow": _j(event(time="2026-07-02T09:12:00+07:00")),
    "time in year 9999": _j(event(time="9999-12-31T23:59:59-12:00")),
    "unknown attribute": _j(event(subjet="24133")),
    "extension an object": _j(event(sequence={"a": 1})),
    "extension with a phone number": _j(event(correlationid=PHONE)),
    "data_base64": _j(event(data_base64="e30=")),
    "datacontenttype XML": _j(event(datacontenttype="text/xml")),
    "dataschema relative": _j(event(dataschema="citizen.certified/1")),
    "dataschema of another type": _j(event(dataschema="https://x.example/schemas/class.held/1")),
    "dataschema of version 9": _j(event(dataschema="https://x.example/schemas/citizen.certified/9")),
    "no data": _j(event(data=None)),
    "data a text": _j(event(data="{}")),
    "field unknown": _data(platfrm="vneid"),
    "field with an identity number as name": _data(**{f"x{CCCD}": 1}),
    "field missing": _data(target_groups=None),
    "value not allowed": _data(platform="vnied"),
    "value of wrong type": _data(age="17"),
    "value too small": _data(age=-1),
    "value too large": _data(age=131),
    "list empty": _data(target_groups=[]),
    "list repeats": _data(target_groups=["adult", "adult"]),
    "list entry not allowed": _data(target_groups=["adult", "adlut"]),
    "date malformed": _data(certified_on="30/06/2026"),
    "date impossible": _data(certified_on="2026-02-30"),
    "text too long": _data(batch_id="x" * 201),
    "code malformed": _data(campaign="mùa hè!"),
    "person a text": _data(person=CCCD),
    "person of unknown scheme": _data(person={"scheme": "cccdd", "value": CCCD}),
    "person not 12 digits": _data(person={"scheme": "cccd", "value": "66099001234"}),
    "person's phone malformed": _data(person={"scheme": "phone", "value": "12345"}),
    "note with an identity number": _data(note=f"Chị H'Linh {CCCD}"),
    "note with full-width digits": _data(note="０６６０９９００１２３４"),
    "note with a spaced phone number": _data(note="gọi 0912 345 678"),
    "reference with a phone number": _data(batch_id=PHONE),
    "none of several": _of("outreach.delivered", {"channel": "sms"}),
    "not the police": _of("course.completed", {"person": {"scheme": "cccd", "value": CCCD}, "target_groups": ["adult"]}),
    "correction names a stored reference": _of(
        "event.corrected",
        {"corrects": {"source": "https://x.example", "id": "1"}, "reason": "r",
         "changes": {"data": {"person_ref": "cccd:A"}}},
    ),
    "correction of half a person": _of(
        "event.corrected",
        {"corrects": {"source": "https://x.example", "id": "1"}, "reason": "r",
         "changes": {"data": {"person": {"value": CCCD}}}},
    ),
    "correction with a phone number": _of(
        "event.corrected",
        {"corrects": {"source": "https://x.example", "id": PHONE}, "reason": "r",
         "changes": {"subject": "24133"}},
    ),
}  # fmt: skip
"""Bad alone: in a batch the neighbours must not notice."""
