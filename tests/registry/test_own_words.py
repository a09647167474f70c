"""Words that the instance has added stand in forms, pass their check and name populations."""

import pytest

from services.registry.populations.groups import names_of_groups
from services.registry.reports.answering import Answers
from services.registry.web import entry_forms
from shared.contracts.filters import FilterError
from shared.contracts.live import of_process
from shared.domain.growing import grown

OBLIGATION = {"id": "o", "event": "activity.held", "filter": {"kind": "hoi-thi-nong-dan"}}


@pytest.fixture
def grown_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists of this process as an instance has extended them, whatever it has followed before;
    afterwards they are again what a registry that other tests share has made of them."""
    live = of_process()
    said = {
        "population": ("nong-dan", "Nông dân của tỉnh"),
        "activity_kind": ("hoi-thi-nong-dan", "Hội thi nông dân số"),
    }
    extensions = [
        {"list_name": name, "entries": [{"value": value, "title_vi": title}]}
        for name, (value, title) in said.items()
    ]
    monkeypatch.setattr(live, "_now", grown(live.shipped, extensions))


@pytest.mark.usefixtures("grown_lists")
def test_a_form_offers_them_and_takes_them() -> None:
    kind = of_process()["activity.held"]
    fields = entry_forms.fields_of(kind)
    (field,) = [one for one in fields if one.name == "kind"]
    assert ("hoi-thi-nong-dan", "Hội thi nông dân số") in field.options
    for value, faults in (("hoi-thi-nong-dan", False), ("khong-co", True)):
        typed = entry_forms.Typed({"kind": value})
        entry_forms._check(kind, fields, typed)
        assert bool(typed.faults) is faults, value


@pytest.mark.usefixtures("grown_lists")
def test_populations_have_their_names_and_obligations_may_filter_by_them() -> None:
    assert names_of_groups()["nong-dan"] == "Nông dân của tỉnh"
    Answers(OBLIGATION, "p")


def test_without_them_nothing_is_there() -> None:
    assert "nong-dan" not in names_of_groups()
    with pytest.raises(FilterError):
        Answers(OBLIGATION, "p")
