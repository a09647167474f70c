"""The definition files: complete, consistent, and strict enough to refuse near-misses."""

import copy
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from shared.contracts.definitions import Catalogue, DefinitionError
from shared.contracts.generate import out_of_date

# Every `### type` of the catalogue merged over the five plans, and what the design adds.
OF_THE_PLANS = [
    "citizen.certified",
    "course.registered",
    "course.completed",
    "assessment.passed",
    "certificate.issued",
    "training.attended",
    "skill.confirmed",
    "outreach.delivered",
    "signature.registered",
    "signature.used",
    "digital_identity.activated",
    "app.installed",
    "assistance.requested",
    "assistance.given",
    "mentor.assigned",
    "household.member_qualified",
    "contest.entered",
    "domain.registered",
    "enterprise.enrolled",
    "programme.completed",
    "contest.promoted",
    "document.issued",
    "class.held",
    "guidance_session.held",
    "activity.held",
    "festival.held",
    "post.published",
    "column.opened",
    "material.published",
    "launch.held",
    "launch.attended",
    "agreement.signed",
    "contest.held",
    "conference.held",
    "force.dispatched",
    "coverage_gap.recorded",
    "coverage_gap.closed",
    "committee.established",
    "team.established",
    "team.reinforced",
    "staff.assigned",
    "model.proposed",
    "model.recognised",
    "award.granted",
    "report.submitted",
    "report.consolidated",
    "review.held",
    "inspection.held",
    "issue.raised",
    "feedback.received",
    "central_document.issued",
    "plan.amended",
    "population.declared",
]
OF_THE_DESIGN = [
    "unit.established",
    "unit.renamed",
    "unit.dissolved",
    "unit.attributed",
    "plan.published",
    "figure.reported",
    "person.linked",
    "event.corrected",
    "event.revoked",
    "nil.reported",
    "ranking.published",
    "disclosure.published",
]

CATALOGUE = Catalogue.load()
VERSIONS = [(name, version) for name, kind in CATALOGUE.items() for version in kind.versions]


def validator(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def test_every_type_of_the_plans_and_the_design_is_there() -> None:
    assert len(OF_THE_PLANS) == 53
    assert set(CATALOGUE) >= {*OF_THE_PLANS, *OF_THE_DESIGN}


def test_loading_is_cached() -> None:
    assert Catalogue.load() is CATALOGUE


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_schemas_are_valid_and_stand_alone(name: str, version: str) -> None:
    for schema in (CATALOGUE.data_schema(name, version), CATALOGUE.stored_schema(name, version)):
        jsonschema_rs.meta.validate(schema)
        assert schema["$id"].startswith(f"https://hocvuso.example/schemas/{name}/{version}")
        validator(schema)  # would fail on a `$ref` that leads nowhere


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_examples_are_valid_and_near_misses_are_not(name: str) -> None:
    kind, check = CATALOGUE[name], validator(CATALOGUE.data_schema(name))
    assert kind.examples
    for example in kind.examples:
        assert [error.message for error in check.iter_errors(example)] == []
        assert not check.is_valid({**example, "surprise": 1})
        for field in CATALOGUE.data_schema(name)["required"]:
            missing = {key: value for key, value in example.items() if key != field}
            assert not check.is_valid(missing), f"{field} should be required"
        for field in example:
            spec = kind.fields.get(field)
            if spec is None:
                assert not check.is_valid({**example, field: "066099000001"}), "a bare identity"
            elif spec.kind == "enum":
                assert not check.is_valid({**example, field: "no-such-value"})
            elif spec.kind == "enum_list":
                assert not check.is_valid({**example, field: ["no-such-value"]})
                assert not check.is_valid({**example, field: []})
            elif spec.kind in ("integer", "number"):
                assert not check.is_valid({**example, field: "12"})
            elif spec.kind == "date":
                assert not check.is_valid({**example, field: "30/06/2026"})
                assert not check.is_valid({**example, field: "2026-02-30"})


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_stored_examples_fit_the_stored_schema(name: str) -> None:
    kind = CATALOGUE[name]
    refs = {identity.name: identity.stored for identity in kind.identities}
    for example in kind.examples:
        stored = {refs.get(key, key): value for key, value in example.items()}
        stored.update({refs[key]: "cccd:3q2-7w" for key in refs if key in example})
        assert validator(CATALOGUE.stored_schema(name)).is_valid(stored)
        posted_identity = bool(refs.keys() & example.keys())
        assert validator(CATALOGUE.stored_schema(name)).is_valid(example) is not posted_identity


def test_certifications_are_never_posted_by_commune_staff() -> None:
    certified = CATALOGUE["citizen.certified"]
    assert not certified.may_be_posted_by({"commune"})
    assert not certified.may_be_posted_by({"hamlet", "department", "service_centre"})
    assert certified.may_be_posted_by({"police"})
    assert certified.may_be_posted_by({"administrator"})


def test_definitions_have_a_lane_of_their_own() -> None:
    lane = {name for name, kind in CATALOGUE.items() if kind.lane == "definition"}
    assert lane == {
        "unit.established",
        "unit.renamed",
        "unit.dissolved",
        "unit.attributed",
        "ranking.published",
        "disclosure.published",
        "plan.published",
        "plan.amended",
        "population.declared",
        "central_document.issued",
        "list.extended",
    }


def test_identity_numbers_are_secret() -> None:
    for kind in CATALOGUE.values():
        for identity in kind.identities:
            if identity.kind == "organisation":
                assert identity.is_secret("tax")
                assert not identity.is_secret("unit")
            else:
                assert all(identity.is_secret(scheme) for scheme in identity.schemes)


def test_every_field_and_value_has_a_vietnamese_title() -> None:
    for kind in CATALOGUE.values():
        assert kind.title_vi
        for spec in kind.fields.values():
            assert spec.title
            assert spec.title_vi
            assert len(spec.enum_titles_vi) == len(spec.enum)
            assert all(spec.enum_titles_vi)


def test_no_reference_url_or_free_text_can_be_filtered_by() -> None:
    for name, kind in CATALOGUE.items():
        names = CATALOGUE.filterable(name)
        assert not {field for field in names if field.endswith("_ref")}
        assert not {"url", "note", "text", "place", "name"} & set(names)
        assert all(not kind.fields[field].free_text for field in names)


def test_civil_servants_workers_and_elderly_are_adults() -> None:
    adults = CATALOGUE.words.groups_that_are("adult")
    assert {"adult", "civil_servant", "worker", "elderly", "cnscd_member"} <= adults
    assert not {"pupil", "student", "resident"} & adults


def test_what_is_derived_is_up_to_date() -> None:
    assert [path.name for path in out_of_date(CATALOGUE)] == [], (
        "run python -m shared.contracts.generate"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the definition files to break."""
    source = Path(__file__).parents[2] / "shared" / "contracts"
    for file in source.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    shutil.copytree(source / "types", tmp_path / "types")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("posters: [commune", "posters: [comune", "unknown posters"),
        ("kind: event", "kind: evnt", "unknown kind of key"),
        ("sum_field: participants", "sum_field: heads", "heads"),
        ("thing: class_ref", "thing: klass", "klass"),
        ("figures: add", "figures: sometimes", "sometimes"),
        ("  '1':", "  '2':", "versions"),
        ("lane: fact", "lane: fact\nlanes: 3", "lanes"),
        ("type: class.held", "type: class.hold", "another name"),
    ],
)
def test_a_broken_definition_names_its_file(root: Path, old: str, new: str, message: str) -> None:
    file = root / "types" / "class.held.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=message) as caught:
        Catalogue.load(root)
    assert "class.held.yaml" in str(caught.value)


def test_a_reference_must_lead_to_a_thing(root: Path) -> None:
    file = root / "types" / "training.attended.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("class.held", "festival.held"), encoding="utf-8")
    with pytest.raises(DefinitionError, match="names no thing"):
        Catalogue.load(root)


def test_schemas_are_not_shared_state() -> None:
    before = copy.deepcopy(CATALOGUE.data_schema("citizen.certified"))
    CATALOGUE.data_schema("citizen.certified")["title"] = "changed"
    assert CATALOGUE.data_schema("citizen.certified") == before
