"""The filter language of plans: what it means, and what it refuses."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.definitions import Catalogue
from shared.contracts.filters import FilterError, compile_filter

CATALOGUE = Catalogue.load()


def matches(filter: dict[str, Any], data: dict[str, Any], type_name: str) -> bool:
    return compile_filter(filter, [type_name], CATALOGUE).matches(data)


@pytest.mark.parametrize(
    ("filter", "data", "expected"),
    [
        ({}, {}, True),
        ({"target_group": "adult"}, {"target_groups": ["adult"]}, True),
        ({"target_group": "adult"}, {"target_groups": ["farmer", "worker"]}, True),
        ({"target_group": "adult"}, {"target_groups": ["elderly"]}, True),
        ({"target_group": "adult"}, {"target_groups": ["pupil"]}, False),
        ({"target_group": "adult"}, {}, False),
        ({"target_group": "worker"}, {"target_groups": ["adult"]}, False),
        ({"target_group": ["pupil", "student"]}, {"target_groups": ["student"]}, True),
        ({"min_age": "16"}, {"age": 16}, True),
        ({"min_age": 16}, {"age": 15}, False),
        ({"min_age": 16}, {}, False),
        ({"max_age": 15}, {"age": 15}, True),
        ({"topics": "online_safety"}, {"topics": ["online_payment", "online_safety"]}, True),
        ({"topics": ["vneid"]}, {"topics": ["online_payment"]}, False),
        ({"channel": ["mooc", "online"]}, {"channel": "mooc"}, True),
        ({"channel": "mooc"}, {"channel": "in_person"}, False),
        ({"programme": "cds-experts"}, {"programme": "cds-experts"}, True),
        ({"opening": True}, {"opening": True}, True),
        ({"opening": True}, {}, False),
        ({"sessions_attended": {">": 2}}, {"sessions_attended": 3}, True),
        ({"sessions_attended": {">": 2}}, {"sessions_attended": 2}, False),
        ({"sessions_attended": {">=": 2, "<": 4}}, {"sessions_attended": 3}, True),
        ({"sessions_attended": {">=": 2, "<": 4}}, {"sessions_attended": 4}, False),
        ({"all": [{"channel": "mooc"}, {"age": {">=": 18}}]}, {"channel": "mooc", "age": 18}, True),
        (
            {"any": [{"channel": "mooc"}, {"age": {">=": 18}}]},
            {"channel": "online", "age": 9},
            False,
        ),
        ({"none": [{"school_level": "primary"}]}, {}, True),
        ({"if_given": {"programme": "x"}}, {}, True),
        ({"if_given": {"programme": "x"}}, {"programme": "x"}, True),
        ({"if_given": {"programme": ["x", "y"]}}, {"programme": "z"}, False),
        ({"if_given": {"target_group": "adult"}}, {"target_groups": ["worker"]}, True),
        ({"if_given": {"target_group": "adult"}}, {"target_groups": ["pupil"]}, False),
        ({"if_given": {"age": {">": 8}, "channel": "mooc"}}, {"age": 9}, True),
        ({"if_given": {"age": {">": 8}, "channel": "mooc"}}, {"age": 8}, False),
        ({"of_age": 16}, {"age": 15}, False),
        ({"none": [{"school_level": "primary"}]}, {"school_level": "primary"}, False),
        ({"none": [{"school_level": "primary"}]}, {"school_level": "higher"}, True),
    ],
)
def test_meaning(filter: dict[str, Any], data: dict[str, Any], expected: bool) -> None:
    # The type needs every field used above; attendance of trainings has them.
    assert matches(filter, data, "training.attended") is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"age": 16}, True),
        ({"age": 15}, False),
        ({"age": 15, "turns_16_on": "2026-08-17"}, True),
        ({"birth_year": 2010}, True),
        ({}, False),
    ],
)
def test_of_age_takes_who_will_be(data: dict[str, Any], expected: bool) -> None:
    assert matches({"of_age": 16}, data, "digital_identity.activated") is expected
    assert matches({"min_age": 16}, data, "digital_identity.activated") is (data.get("age") == 16)


def test_by_type() -> None:
    types = ["course.completed", "training.attended"]
    filter = {
        "target_group": "cnscd_member",
        "by_type": {"course.completed": {"platform": "binhdanhocvuso"}},
    }
    compiled = compile_filter(filter, types, CATALOGUE)
    member = {"target_groups": ["cnscd_member"]}
    assert compiled.matches(member, "training.attended")
    assert not compiled.matches(member, "course.completed")
    assert compiled.matches({**member, "platform": "binhdanhocvuso"}, "course.completed")
    assert not compiled.matches(member, "festival.held")
    with pytest.raises(ValueError, match="needs to know the type"):
        compiled.matches(member)
    assert compiled.fields("course.completed") == {"target_groups", "platform"}
    assert compiled.fields("training.attended") == {"target_groups"}


@pytest.mark.parametrize(
    ("filter", "types", "code", "path"),
    [
        ({"topic": "dak_lak_so"}, ["training.attended"], "unknown_field", "/topic"),
        ({"channel": "local"}, ["post.published"], "unknown_value", "/channel"),
        ({"kind": ["news", "vlog"]}, ["post.published"], "unknown_value", "/kind/1"),
        ({"target_group": "grown_up"}, ["training.attended"], "unknown_value", "/target_group"),
        ({"target_group": "adult"}, ["festival.held"], "unknown_field", "/target_group"),
        ({"min_age": 16}, ["festival.held"], "unknown_field", "/min_age"),
        ({"min_age": "sixteen"}, ["signature.registered"], "value", "/min_age"),
        ({"min_age": -1}, ["signature.registered"], "value", "/min_age"),
        ({"kind": {">": 1}}, ["post.published"], "comparison", "/kind"),
        ({"members_added": {"!=": 0}}, ["team.reinforced"], "comparison", "/members_added/!="),
        ({"members_added": {">": "0"}}, ["team.reinforced"], "value", "/members_added/>"),
        ({"members_added": {"<": 0}}, ["team.reinforced"], "never", ""),
        ({"members_added": True}, ["team.reinforced"], "value", "/members_added"),
        ({"able_to_act": "yes"}, ["assistance.given"], "value", "/able_to_act"),
        ({"person": "cccd:1"}, ["training.attended"], "unknown_field", "/person"),
        ({"note": "x"}, ["training.attended"], "unknown_field", "/note"),
        ({"url": "https://x"}, ["post.published"], "unknown_field", "/url"),
        ({"kind": []}, ["post.published"], "never", "/kind"),
        ({"any": []}, ["post.published"], "shape", "/any"),
        ({"any": [{"kind": "nws"}]}, ["post.published"], "unknown_value", "/any/0/kind"),
        ({"all": [{"kind": "news"}, {"kind": "article"}]}, ["post.published"], "never", ""),
        ({"kind": "closing", "none": [{"kind": "closing"}]}, ["conference.held"], "never", ""),
        ({"none": [{}]}, ["conference.held"], "never", ""),
        (
            {"none": [{"participants": 0}, {"participants": {">=": 1}}], "participants": {">": -1}},
            ["conference.held"],
            "never",
            "",
        ),
        (
            {"by_type": {"post.published": {}}},
            ["festival.held"],
            "filter",
            "/by_type/post.published",
        ),
        ({"any": [{"by_type": {}}]}, ["post.published"], "shape", "/any/0/by_type"),
        ({}, ["post.publish"], "filter", ""),
        ({}, [], "no_type", ""),
        # A field of only some of the types would silently count nothing for the others.
        (
            {"platform": "vneid"},
            ["course.completed", "training.attended"],
            "unknown_field",
            "/platform",
        ),
    ],
)
def test_refusals(filter: dict[str, Any], types: list[str], code: str, path: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(filter, types, CATALOGUE)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_a_misspelt_word_gets_a_hint() -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter({"channel": "fan_page"}, ["post.published"], CATALOGUE)
    assert "'fanpage'" in caught.value.hint
    with pytest.raises(FilterError) as caught:
        compile_filter({"topic": "vneid"}, ["training.attended", "skill.confirmed"], CATALOGUE)
    assert "'topics'" in caught.value.hint
    assert "by_type" in caught.value.hint


KINDS = ["closing", "interim", "workshop"]

leaves = st.one_of(
    st.sets(st.sampled_from(KINDS), min_size=1).map(lambda s: {"kind": sorted(s)}),
    st.tuples(st.sampled_from([">", ">=", "<", "<=", "="]), st.integers(-1, 4)).map(
        lambda pair: {"participants": {pair[0]: pair[1]}}
    ),
    st.integers(0, 3).map(lambda n: {"participants": n}),
    st.booleans().map(lambda b: {"opening": b}),
)
filters = st.recursive(
    leaves,
    lambda inner: st.tuples(
        st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda pair: {pair[0]: pair[1]}),
    max_leaves=8,
)


def naive(filter: dict[str, Any], data: dict[str, Any]) -> bool:
    """The meaning, written down a second time without any compiling."""
    for key, value in filter.items():
        if key == "all":
            ok = all(naive(part, data) for part in value)
        elif key == "any":
            ok = any(naive(part, data) for part in value)
        elif key == "none":
            ok = not any(naive(part, data) for part in value)
        elif isinstance(value, dict):
            [(sign, bound)] = value.items()
            have = data.get(key)
            ok = (
                have is not None
                and {
                    ">": have > bound,
                    ">=": have >= bound,
                    "<": have < bound,
                    "<=": have <= bound,
                    "=": have == bound,
                }[sign]
            )
        elif isinstance(value, list):
            ok = data.get(key) in value
        else:
            ok = key in data and data[key] == value
        if not ok:
            return False
    return True


def worlds() -> list[dict[str, Any]]:
    """Every conference there can be, as far as these filters can tell them apart."""
    found = []
    for kind, people, opening in product(KINDS, [None, *range(7)], [None, True, False]):
        data: dict[str, Any] = {"kind": kind, "participants": people, "opening": opening}
        found.append({key: value for key, value in data.items() if value is not None})
    return found


WORLDS = worlds()


@given(filters)
def test_compiled_means_the_same_and_is_refused_only_if_nothing_can_match(
    filter: dict[str, Any],
) -> None:
    expected = [naive(filter, world) for world in WORLDS]
    try:
        compiled = compile_filter(filter, ["conference.held"], CATALOGUE)
    except FilterError as error:
        assert error.code == "never"
        assert not any(expected)
    else:
        assert [compiled.matches(world) for world in WORLDS] == expected
        assert any(expected)
