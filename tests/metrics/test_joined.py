"""Distinct per unit of the tree: what two communes have in common counts once when they merge."""

from datetime import date
from typing import Any

from services.metrics.evaluating.joined import Joined, mates_of_either
from shared.contracts.definitions import Catalogue
from shared.domain.compile import compile_plan
from shared.domain.definitions import Definitions
from shared.domain.kin import is_moved, kin, together
from shared.domain.measures import Measure
from shared.domain.places import Places
from tests.metrics.joined import AFTER, BEFORE, NEW, World
from tests.metrics.province import ROOT, A, B, C, document, objective, of


def page(number: int) -> dict[str, Any]:
    return {"kind": "news", "channel": "fanpage", "url": f"https://a.example/{number}"}


def test_the_same_post_of_both_is_one_of_the_new_commune(catalogue: Catalogue) -> None:
    world = World(catalogue)
    for unit in (A, B, C):
        world.post("post.published", unit, page(1))
    world.post("post.published", B, page(2))
    world.post("post.published", NEW, page(1), AFTER)
    assert world.counts("posts", BEFORE, BEFORE) == {A: 1, B: 2, C: 1}
    assert world.counts("posts", AFTER) == {NEW: 2, C: 1}


def test_the_same_model_and_the_same_helper_too(catalogue: Catalogue) -> None:
    world = World(catalogue)
    person = "cccd:066099000001"
    for unit in (A, B, C):
        world.post("model.recognised", unit, {"model_ref": "m-1", "kind": "gia_dinh_so"})
        world.post("staff.assigned", unit, {"person_ref": person, "role": "other"})
    world.post("model.recognised", B, {"model_ref": "m-1", "kind": "cong_dan_so_tieu_bieu"})
    assert world.counts("models", BEFORE) == {A: 1, B: 2, C: 1}
    assert world.counts("models", AFTER) == {NEW: 2, C: 1}
    assert world.counts("staff", BEFORE) == {A: 1, B: 1, C: 1}
    assert world.counts("staff", AFTER) == {NEW: 1, C: 1}


def test_an_assignment_that_ends_in_one_goes_on_in_the_other(catalogue: Catalogue) -> None:
    world = World(catalogue)
    person = "cccd:066099000001"
    ends = {"person_ref": person, "role": "other", "to": "2026-05-01"}
    world.post("staff.assigned", A, ends)
    world.post("staff.assigned", B, {"person_ref": person, "role": "other"})
    assert world.counts("staff", AFTER, date(2026, 4, 1)) == {NEW: 1}
    assert world.counts("staff", AFTER) == {NEW: 1}


def test_a_portal_of_one_and_a_social_channel_of_the_other_are_both(catalogue: Catalogue) -> None:
    world = World(catalogue)
    world.post("material.published", A, {"channel": "portal"})
    world.post("material.published", B, {"channel": "zalo"})
    world.post("material.published", C, {"channel": "zalo"})
    assert world.counts("both", BEFORE) == {}
    assert world.counts("both", AFTER) == {NEW: 1}


def test_what_the_new_commune_posts_is_not_the_old_ones_in_the_old_tree(
    catalogue: Catalogue,
) -> None:
    world = World(catalogue)
    world.post("post.published", A, page(1))
    world.post("post.published", NEW, page(1), AFTER)
    assert world.counts("posts", BEFORE) == {A: 1}, "no single old commune holds what came after"


def test_the_kin_of_a_province(catalogue: Catalogue) -> None:
    world = World(catalogue)
    definitions = Definitions(catalogue)
    for row in world.log.rows:
        definitions.apply(row)
    places = Places(definitions.tree, AFTER)
    near = kin(places, [ROOT])
    assert {A, B, C, NEW, ROOT} <= near
    assert {name for name in near if is_moved(places, name)} >= {A, B}
    assert {A, B, NEW} <= together(places, near, [A]) and C not in together(places, near, [A])


def test_a_measure_says_what_is_distinct_per_unit(catalogue: Catalogue) -> None:
    plain = {"count": "distinct_persons", "of": [of("citizen.certified")]}
    (one,) = compile_plan(document([objective("p", plain)]), catalogue)
    assert isinstance(one.measure, Measure) and not one.measure.placed


def test_what_was_taken_back_is_joined_with_what_it_shared_before(catalogue: Catalogue) -> None:
    """Of two moments each knows groups of its own: a difference looks at both, as one where they meet."""
    places = Places(Definitions(catalogue).tree, AFTER)
    one, two, three, four = ((0, bytes([n])) for n in range(4))
    before = Joined(places, ROOT, mates={one: (one, two), two: (one, two)})
    after = Joined(places, ROOT, mates={two: (two, three), three: (two, three), four: (four,)})
    whole = (one, two, three)
    assert mates_of_either(before, after) == {one: whole, two: whole, three: whole, four: (four,)}
    assert mates_of_either(after, before) == mates_of_either(before, after)
