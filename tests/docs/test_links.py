"""Documents name only what exists: links, files, make targets, addresses, limits."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "units" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
OURS = [page for page in PAGES if page.name not in ("event-types.md", "errors.md", "indicators.md")]
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+/?|[\w-]+\.(?:yml|toml)")
NOT_FILES = re.compile(
    r"^(v1|xapi|health|metrics|origin)/|^\.?hocvuso/|^(run|secrets|build)/|^application/|^\.venv/"
)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert place.is_relative_to(ROOT)
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place), target


def files_named(page: Path) -> list[str]:
    text = page.read_text()
    words = [word for code in CODE.findall(text) for word in code.split()]
    return [word for word in words if PATH.fullmatch(word) and not NOT_FILES.match(word)]


@pytest.mark.parametrize("page", OURS, ids=named)
def test_files_named_exist(page: Path) -> None:
    for name in files_named(page):
        # Templates (NAME, ID) stand for files to be written; secrets are made by the operator.
        if re.search(r"\b(NAME|ID)\b", name) or "hocvuso-secrets" in name:
            continue
        assert (ROOT / name).exists(), name


def test_the_architecture_names_the_code() -> None:
    """The page is about files: an empty list would mean that this test reads nothing."""
    assert len({n for n in files_named(ROOT / "docs/architecture.md") if n.endswith(".py")}) >= 35


def test_decisions_are_numbered_listed_and_whole() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("0*.md"))
    index = (ROOT / "docs/decisions/README.md").read_text()
    assert len({page.name[:5] for page in pages}) == len(pages), "a number names one decision"
    for page in pages:
        text, number = page.read_text(), page.name[:4]
        assert f"]({page.name}) | {text.splitlines()[0].removeprefix(f'# {number} ')} |" in index
        for part in ("**Context.**", "**Decision.**", "**Consequence.**"):
            assert text.count(part) == 1, (page.name, part)


def test_make_targets_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in OURS:
        text = page.read_text()
        found = re.findall(r"`make ([a-z-]+)", text) + re.findall(r"^make ([a-z-]+)", text, re.M)
        assert set(found) <= targets, named(page)


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60


def test_limits_are_those_of_the_code() -> None:
    from services.activities.ingest import envelope, problems
    from services.activities.log import log
    from services.activities.receipts import receipts
    from services.registry.settings import RegistrySettings
    from shared.contracts.record import LANES
    from shared.progress import LIVE_SECONDS

    text = (ROOT / "docs/operations.md").read_text()
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text[text.index("## Limits") :], re.M))
    assert rows["an event"] == f"{problems.MAX_EVENT_BYTES // 1024} KiB"
    batch = f"{problems.MAX_BATCH_EVENTS:,} events, {problems.MAX_BATCH_BYTES >> 20} MiB"
    assert rows["a batch"] == batch
    assert rows["events that wait for the log"].startswith(f"{log.WAITING_EVENTS:,}, ")
    future = int(envelope.FUTURE.total_seconds() // 60)
    assert rows["time of an event in the future"] == f"{future} minutes"
    assert rows["times of receipts"].startswith(f"{receipts.MARKS_KEPT_DAYS} days")
    wait = RegistrySettings.model_fields["longest_wait_seconds"].default
    assert rows["waiting for a position (`?wait=`)"] == f"{wait} seconds"
    assert rows["lanes, so at most as many workers"] == str(LANES)
    assert LIVE_SECONDS == 10 and text.count("up to ten seconds") == 1


def test_hooks_are_local_and_use_the_locked_programs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["entry"].startswith(".venv/bin/")
        assert hook["language"] == "system"


def test_the_licence_is_apache_2_in_full() -> None:
    text = (ROOT / "LICENSE").read_text()
    for part in (
        "Version 2.0, January 2004",
        "9. Accepting Warranty",
        "END OF TERMS AND CONDITIONS",
    ):
        assert part in text
