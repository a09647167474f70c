"""Every line of the standards has a test or a reason, never neither and never both."""

from tests.security.table import API, ASVS, PAGE, REASONS, marked, page


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
