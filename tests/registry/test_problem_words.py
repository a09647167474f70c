"""Pages speak Vietnamese: every code that they can meet, every flag, status and state has words."""

import re
from pathlib import Path

import pytest

from services.metrics.explaining.reasons import REASONS
from services.registry.reports.ledger import STATES as REPORT_STATES
from services.registry.tasks.standing import STATES as TASK_STATES
from services.registry.tasks.words import TASK as TASK_WORDS
from services.registry.web import words
from services.registry.web.problem_words import WORDS, explain, where
from shared.contracts.definitions import Catalogue
from tests.registry.conftest import Running
from tests.registry.words import VIETNAMESE

ROOT = Path(__file__).parents[2]
CALLS = re.compile(r'Problem\(\s*"([a-z0-9-]+)"')
OF_SOFTWARE = {
    "gzip-ratio-exceeded", "json-nul", "precondition-failed", "target-too-long",
    "json-invalid", "not-parked", "positions-malformed", "content-type-unsupported",
    "content-encoding-unsupported", "gzip-invalid", "batch-too-long", "body-too-slow",
    "body-incomplete", "batch-not-array", "attribute-repeated", "specversion-unsupported",
    "source-malformed", "dataschema-malformed", "datacontenttype-unsupported", "link-to-itself",
    "data-base64-unsupported",
}  # fmt: skip
"""Only requests that pages never send are answered like that."""


def in_code(*folders: str) -> set[str]:
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {code for file in files for code in CALLS.findall(file.read_text())}


def of_activities() -> set[str]:
    """What an answer to a posted event can say."""
    page = (ROOT / "docs" / "errors.md").read_text()
    parts = re.split(r"^## ", page, flags=re.M)
    wanted = ("The request", "CloudEvents attributes", "Data", "Rights, units, the log")
    rows = [row for part in parts if part.startswith(wanted) for row in part.splitlines()]
    return {
        code
        for row in rows
        if row.startswith("| `")
        for code in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", row.split("|")[1])
    }


def test_every_code_has_vietnamese_words() -> None:
    known = in_code("services/registry", "shared") | in_code("services/metrics") | of_activities()
    assert len(known) > 100
    assert sorted(known - OF_SOFTWARE - set(WORDS)) == []


def test_they_are_sentences_in_vietnamese() -> None:
    for code, text in WORDS.items():
        assert VIETNAMESE.search(text) and text.endswith(".") and text[0].isupper(), code


def test_every_flag_of_metrics_has_words() -> None:
    said = re.compile(r'(?:flag\w*\.append\(|flag = |, |\()"([a-z]+_[a-z_]+)"')
    source = "".join(
        (ROOT / name).read_text()
        for name in (
            "services/metrics/evaluating/evaluate.py",
            "shared/domain/places.py",
            "shared/domain/populations.py",
            "services/metrics/evaluating/moments.py",
            "services/metrics/explaining/parts.py",
        )
    )
    flags = set(re.findall(r'(?:flags\.append\(|flag = )"([a-z_]+)"', source))
    flags |= {
        name for name in said.findall(source) if name.startswith(("denominator_", "hamlets_"))
    }
    assert len(flags) >= 6
    assert flags - set(words.FLAGS) == set()


def test_every_state_has_words() -> None:
    assert set(words.REPORT) == set(REPORT_STATES)
    assert set(TASK_WORDS) == set(TASK_STATES)
    assert set(words.REASON) == {"no_events", "nil_reported", "late_data", "parked", "slow"}
    page = (ROOT / "docs" / "indicators.md").read_text()
    told = set(
        re.findall(r"^\| `([a-z_]+)` \| ", page[page.index("`unknown` | there") - 2500 :], re.M)
    )
    assert told & {"met", "behind", "overdue", "unknown"} <= set(words.STATUS)


def test_every_reason_not_to_count_an_event_has_words() -> None:
    # A revocation says of itself what it is; metrics gives it no reason.
    assert set(words.NOT_COUNTED) == {*REASONS, "revokes"}
    page = (ROOT / "services" / "metrics" / "explaining" / "difference_answers.py").read_text()
    assert all(name in page for name in words.HOW)


def test_a_place_is_named_as_the_form_names_it() -> None:
    kind = Catalogue.load()["class.held"]
    names = {name: spec.title_vi for name, spec in kind.fields.items()}
    assert where("/0/data/participants", names) == names["participants"]
    assert where("/unit") == "Mã đơn vị"
    assert where("/nobody/knows") == where(None) == ""
    assert explain("no-such-code", "otherwise") == "otherwise"


@pytest.mark.parametrize(
    "address",
    [
        "/plans/dak-lak-2026?unit=99999", "/plans/ha-noi", "/plans/dak-lak-2026?as_of=nonsense",
        "/plans/dak-lak-2026?level=street", "/plans/dak-lak-2026/units/26368",
        "/plans/dak-lak-2026/objectives/none", "/plans/dak-lak-2026/reports/none/once",
        "/plans/dak-lak-2026/completeness?type=none", "/enter/none",
        "/plans/dak-lak-2026/units/24133/objectives/adults-certified-vneid?cursor=%25%25",
        "/plans/gia-lai-2026/reports/quarterly-report/2026-Q9", "/no/such/page",
        "/plans/dak-lak-2026?unit=" + "9" * 90, "/plans/yen-bai-2025-2026?unit=15.x",
    ],
)  # fmt: skip
async def test_an_error_page_is_vietnamese(registry: Running, address: str) -> None:
    """English is there for whoever helps, marked as English, behind a fold."""
    answer = await registry.client.get(address, headers={"Accept": "text/html"})
    assert answer.status_code < 500
    text = answer.text
    assert '<html lang="vi">' in text, text[:300]
    main = text.partition("<main")[2].partition("</main>")[0]  # the footer names other languages
    folded = re.sub(r"<details>.*?</details>", "", main, flags=re.S)
    assert 'lang="en"' not in folded
    assert 'role="alert"' in folded
