"""Every test has a configuration directory of its own, and Vietnamese as a sender has it."""

from pathlib import Path

import pytest

from hocvuso_cli import language


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOCVUSO_LANG", "HOCVUSO_PROFILE", "HOCVUSO_KEY_FILE", "HOCVUSO_ADMIN_KEY_FILE",
                 "HOCVUSO_ACTIVITIES_URL"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "config"))
    monkeypatch.setattr(language, "_chosen", [])
