"""The digest of a day, as the shell line of its description computes it."""

import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.vectors.read import load


@pytest.mark.parametrize("case", load("digest")["cases"], ids=lambda case: case["name"])
def test_shell_agrees(case: dict[str, Any]) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is not installed")
    found = subprocess.run(
        "sort -u | sha256sum",
        shell=True,
        input="".join(f"{id}\n" for id in case["ids"]).encode(),
        env={**os.environ, "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert found.stdout.split()[0].decode() == case["digest"]
