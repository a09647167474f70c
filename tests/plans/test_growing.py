"""Lists that an instance has extended: one catalogue per state of knowledge, counted by plans."""

from datetime import date
from typing import Any

import jsonschema_rs

from shared.contracts.definitions import Catalogue
from shared.contracts.filters import compile_filter
from shared.contracts.live import LiveCatalogue
from shared.domain.definitions import Definitions
from shared.domain.growing import grown, with_own_groups
from shared.domain.measures import Measure
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import ROOT, define, document, objective, of

Json = dict[str, Any]
CATALOGUE = Catalogue.load()
DAY = date(2026, 3, 1)
GROUP = {
    "list_name": "target_group",
    "entries": [{"value": "nguoi-ban-hang", "title_vi": "Người bán hàng", "implies": ["adult"]}],
}
APP = {"list_name": "app", "entries": [{"value": "dong-thap-so", "title_vi": "Đồng Tháp Số"}]}
ADULTS = objective("adults", {"count": "distinct_persons", "of": [of("training.attended", target_group="adult")]})  # fmt: skip


def test_a_list_grows_wherever_it_is_used_and_nowhere_else() -> None:
    more = grown(CATALOGUE, [APP])
    spec = more["app.installed"].fields["app"]
    assert spec.enum[-1] == "dong-thap-so" and spec.enum_titles_vi[-1] == "Đồng Tháp Số"
    check = jsonschema_rs.Draft202012Validator(more.data_schema("app.installed"))
    said = {"person": {"scheme": "cccd", "value": "066099000001"}, "app": "dong-thap-so"}
    assert check.is_valid(said) and not check.is_valid(said | {"app": "no-such"})
    before = jsonschema_rs.Draft202012Validator(CATALOGUE.data_schema("app.installed"))
    assert not before.is_valid(said)
    changed = {name for name in more if more[name] is not CATALOGUE[name]}
    assert changed == {"app.installed"}
    node = compile_filter({"app": "dong-thap-so"}, ("app.installed",), more).nodes["app.installed"]
    assert node.matches({"app": "dong-thap-so"})


def test_the_same_words_make_the_same_catalogue() -> None:
    assert grown(CATALOGUE, [APP]) is grown(CATALOGUE, [dict(APP)])
    assert grown(CATALOGUE, []) is CATALOGUE


def test_what_a_release_brings_later_keeps_the_title_of_the_release() -> None:
    same = {"list_name": "app", "entries": [{"value": "vneid", "title_vi": "Ứng dụng khác"}]}
    more = grown(CATALOGUE, [same])
    assert more.words.enums["app"] == CATALOGUE.words.enums["app"]
    assert not more.words.own["app"]


def test_a_filter_names_the_own_groups_that_it_means() -> None:
    more = grown(CATALOGUE, [GROUP])
    filter = {
        "target_group": "adult",
        "none": [{"target_group": ["worker"]}],
        "by_type": {"a": {"target_group": ["adult", "nguoi-ban-hang"]}},
        "if_given": {"target_group": "adult"},
    }
    assert with_own_groups(filter, more) == {
        "target_group": ["adult", "nguoi-ban-hang"],
        "none": [{"target_group": ["worker"]}],
        "by_type": {"a": {"target_group": ["adult", "nguoi-ban-hang"]}},
        "if_given": {"target_group": ["adult", "nguoi-ban-hang"]},
    }
    assert with_own_groups(filter, CATALOGUE) is filter


def test_what_is_no_filter_stays_to_be_refused() -> None:
    more = grown(CATALOGUE, [GROUP])
    wrong: list[Any] = [
        {"target_group": {"adult": 1}}, {"target_group": [["adult"], 3]}, {"any": "adult"},
        {"by_type": ["adult"]}, {"if_given": 7}, {"all": [7]}, "adult", None,
    ]  # fmt: skip
    assert [with_own_groups(filter, more) for filter in wrong] == wrong


def folded(*definitions: Json, until: int | None = None) -> Definitions:
    log = MemoryLog(CATALOGUE)
    define(log, document([ADULTS]))
    for data in definitions:
        log.post("list.extended", ROOT, DAY, DAY, data)
    found = Definitions(CATALOGUE)
    for row in log.rows[:until]:
        found.apply(row)
    return found


def measures(known: Definitions) -> dict[str, Measure]:
    assert known.plan("p", DAY) is not None
    return known.measures()


def test_a_group_that_implies_another_makes_new_measures_of_it() -> None:
    plain, app, group = folded(), folded(APP), folded(GROUP)
    assert measures(plain).keys() == measures(app).keys()
    (new,) = measures(group).keys() - measures(plain).keys()
    (old,) = measures(plain).keys() - measures(group).keys()
    assert measures(plain)[old].parts[0].filter == {"target_group": "adult"}
    assert measures(group)[new].parts[0].filter == {"target_group": ["adult", "nguoi-ban-hang"]}


def test_what_was_known_earlier_has_the_words_of_then() -> None:
    later = folded(GROUP, APP)
    earlier = folded(GROUP, APP, until=-1)
    assert "dong-thap-so" in later.catalogue.words.enums["app"]
    assert "dong-thap-so" not in earlier.catalogue.words.enums["app"]
    assert "nguoi-ban-hang" in earlier.catalogue.words.enums["target_group"]
    copy = later.copy()
    assert copy.catalogue is later.catalogue


def test_revisions_of_a_plan_grow_when_a_list_does() -> None:
    assert folded(GROUP).revisions("p", DAY) > folded().revisions("p", DAY)


def test_a_live_catalogue_never_goes_back() -> None:
    live, more = LiveCatalogue(CATALOGUE), grown(CATALOGUE, [APP])
    assert live.follow(more, 7) and live.now is more and live.shipped is CATALOGUE
    assert not live.follow(CATALOGUE, 6) and "dong-thap-so" in live.words.enums["app"]
    assert live["app.installed"] is more["app.installed"] and len(live) == len(CATALOGUE)
    live.start_over()
    assert live.now is CATALOGUE
