"""Every line of the standards has a test or a reason, never neither and never both."""

from tests.security.faults import faults
from tests.security.table import API, ASVS, PAGE, REASONS, ROOT, marked, page


def test_every_line_has_a_test_or_a_reason() -> None:
    tests = marked()
    lines = {*API, *ASVS}
    assert len(ASVS) == 253
    assert set(tests) <= lines, "markers name lines that there are not"
    assert set(REASONS) <= lines
    assert set(tests) & set(REASONS) == set(), "a line with a test needs no reason"
    assert lines - set(tests) - set(REASONS) == set()


def test_the_page_is_that_of_the_markers() -> None:
    assert PAGE.read_text() == page(), "make generate"


def test_every_seeded_fault_still_fits() -> None:
    """Its text stands once in its file, and its tests carry lines; `make faults` seeds them."""
    for fault in faults():
        assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old) == 1, fault.says
        assert fault.new != fault.old
        assert fault.lines, fault.says
        for test in fault.tests:
            assert any(test in by for by in marked().values()), test


def test_every_line_of_owasp_has_a_seeded_fault() -> None:
    assert set(API) <= {line for fault in faults() for line in fault.lines}
