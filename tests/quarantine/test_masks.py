"""What is kept of a refused event: no identity number, however old or however written."""

import json

import pytest

from services.activities.ingest.masks import MASKED, Masks
from services.activities.privacy import Pseudonyms
from shared.contracts.definitions import Catalogue
from tests.activities.fake import event

MASKS = Masks(Catalogue.load(), Pseudonyms(bytes(32)))


@pytest.mark.parametrize(
    "number",
    [
        "123456789", "123 456 789", "123.456.789", "123–456–789", "１２３４５６７８９", "025 123 456 7",
        "số 123456789", "1 2 3 4 5 6 7 8 9", "123456789012", "101099001234", "%31%32%33456789",
        "123\u200b456\u200b789", "CMND123456789", "912345678",
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["note", "class_ref", "platform", "address", "age"])
def test_long_numbers_are_masked(number: str, field: str) -> None:
    kept = MASKS.mask(event(data={field: number, "target_groups": [number]}, subject=number))
    assert kept["data"][field] == MASKED
    assert kept["data"]["target_groups"] == [MASKED]
    assert kept["subject"] == MASKED
    assert number not in json.dumps(kept, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    ["25 người", "từ 03/05/2026 đến 07/09/2026", "12345678", "lop-08-2026-17", "12/2026/QĐ-UBND"],
)
def test_what_is_short_is_kept_to_be_mended(text: str) -> None:
    assert MASKS.mask(event(data={"note": text}))["data"]["note"] == text


def test_an_event_is_still_known_by_its_name() -> None:
    name = {"source": "https://x.example/1", "id": "hv-1234567890"}
    data = {"revokes": name, "reason": "nhầm 123456789"}
    kept = MASKS.mask(event(type="vn.hocvuso.event.revoked", data=data, **name))
    assert {n: kept[n] for n in name} == kept["data"]["revokes"] == name
    assert kept["data"]["reason"] == MASKED
