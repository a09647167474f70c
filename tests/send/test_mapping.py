"""Finding fields for the columns that people have, and remembering them."""

from pathlib import Path
from typing import Any

import pytest

from hocvuso_cli.send.columns import layout
from hocvuso_cli.send.mapping import MappingError, Memory, resolve

CERTIFIED = layout("citizen.certified")
CLASS = layout("class.held")


def targets(headers: list[str], of: Any = CERTIFIED, **how: Any) -> tuple[str, ...]:
    given = {"explicit": {}, "ignored": [], "remembered": {}, "given": ["subject", "time"]}
    return resolve(of, headers, **{**given, **how}).targets


def test_names_titles_brackets_and_usual_words() -> None:
    assert targets(
        [
            "person.cccd",
            "NHOM DOI TUONG",
            "nhóm đối tượng (2)",
            "Tuổi",
            "Bất kỳ [platform]",
            "",
            "Ngày",
        ],
        given=["subject"],
    ) == ("person.cccd", "target_groups", "target_groups", "age", "platform", "", "time")
    assert targets(["Số CCCD", "target_groups", "Mã xã"]) == (
        "person.cccd",
        "target_groups",
        "subject",
    )
    nfd = "Nho\u0301m \u0111o\u0302\u0301i t\u01b0\u01a1\u0323ng"
    assert targets([nfd, "CCCD"]) == ("target_groups", "person.cccd")


def test_unknown_columns_are_an_error_with_candidates() -> None:
    with pytest.raises(
        MappingError, match=r"(?s)'Nhóm đối tượg' - did you mean target_groups.*--map"
    ):
        targets(["Số CCCD", "Nhóm đối tượg"])
    assert targets(["Số CCCD", "Nhóm", "STT"], explicit={"Nhóm": "target_groups"}, ignored=["STT"]) == (
        "person.cccd", "target_groups", "",
    )  # fmt: skip
    with pytest.raises(MappingError, match="no field 'nhom_x'"):
        targets(["Số CCCD", "Nhóm"], explicit={"Nhóm": "nhom_x"})
    with pytest.raises(MappingError, match="no column 'Nhom Y'"):
        targets(["Số CCCD", "target_groups"], explicit={"Nhom Y": "age"})


def test_missing_and_doubled_columns_are_errors() -> None:
    with pytest.raises(MappingError, match="target_groups"):
        targets(["Số CCCD"])
    with pytest.raises(MappingError, match=r"time \(Thời điểm\)"):
        targets(["Số CCCD", "target_groups"], given=["subject"])
    with pytest.raises(MappingError, match="Several columns are age"):
        targets(["Số CCCD", "target_groups", "Tuổi", "age"])
    assert targets(["Số CCCD"], given=["subject", "time", "target_groups"]) == ("person.cccd",)


def test_result_columns_are_no_data() -> None:
    found = targets(["Sĩ số [participants]", "Kết quả [result.status]", "Mã dòng [id]"], CLASS)
    assert found == ("participants", "", "id")


def test_a_title_of_two_fields_is_not_guessed() -> None:
    linked = layout("mentor.assigned")
    with pytest.raises(MappingError, match="CCCD"):
        targets(["CCCD"], linked, given=["subject", "time", "mentor.scheme", "mentor.value"])


def test_what_was_used_is_remembered_by_type_and_header(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "config" / "mappings.json")
    headers = ["Số CCCD", "Nhóm", "STT"]
    assert memory.recall("citizen.certified", headers) == {}
    used = targets(headers, explicit={"Nhóm": "target_groups"}, ignored=["STT"])
    memory.keep("citizen.certified", headers, used)
    again = Memory(tmp_path / "config" / "mappings.json").recall("citizen.certified", headers)
    assert targets(headers, remembered=again) == used
    assert memory.recall("class.held", headers) == {}
    assert memory.recall("citizen.certified", headers[:2]) == {}
    # What is said now goes before what is remembered.
    assert targets(headers, remembered=again, explicit={"STT": "batch_id"})[2] == "batch_id"


def test_a_broken_memory_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{")
    assert Memory(tmp_path / "m.json").recall("class.held", ["a"]) == {}
