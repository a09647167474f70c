"""Recipes for types that have none of their own yet: their example, of another person each time."""

from collections.abc import Collection
from functools import partial

from deploy.sandbox.changes import CHANGING
from deploy.sandbox.scene import Json, Recipe, Scene
from shared.contracts.definitions import Catalogue
from shared.contracts.model import EventType


def plain(recipes: Collection[Recipe], catalogue: Catalogue) -> list[Recipe]:
    """One recipe for each fact type that no recipe makes and that no change of an event is."""
    made = CHANGING | {recipe.type for recipe in recipes}
    return [
        Recipe(name, _poster(kind), 1, partial(_example, kind))
        for name, kind in catalogue.items()
        if kind.lane == "fact" and name not in made
    ]


def _poster(kind: EventType) -> str:
    named = [role for role in kind.posters if role != "any"]
    return "commune" if "commune" in named or not named else named[0]


def _example(kind: EventType, s: Scene) -> Json:
    data = dict(kind.examples[0])
    if "person" in data:
        data["person"] = s.person(kind.type)[1]["person"]
    if kind.day is not None and kind.day in data:
        data[kind.day] = s.day.isoformat()
    return data
