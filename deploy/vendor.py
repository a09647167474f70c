"""What browsers get that others made, taken from the npm registry: `python -m deploy.vendor`.

Each package is locked by version and integrity; what is kept of it lies under the static files of
registry, with the digest of every file, so that a test sees a file that is another one. Fonts are
cut down to the letters that Vietnamese and English pages need.
"""

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

STATIC = Path(__file__).parents[1] / "services" / "registry" / "web" / "static"
LOCK = STATIC / "vendored.json"
PACKAGE = "@fontsource/be-vietnam-pro"
LETTERS = {
    "latin": "U+20-7E,U+A0-FF,U+2010-2026,U+20AC",
    "vietnamese": "U+102-103,U+110-111,U+128-129,U+168-169,U+1A0-1A1,U+1AF-1B0,U+300-301,"
    "U+303-304,U+308-309,U+323,U+329,U+1EA0-1EF9,U+20AB",
}
WEIGHTS = (400, 600)


def fetch(version: str, integrity: str) -> tarfile.TarFile:
    """The package as npm gives it; ValueError when it is not the locked one."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"{PACKAGE}@{version}"
        subprocess.run(["npm", "pack", name, "--silent"], cwd=folder, check=True)
        (file,) = Path(folder).glob("*.tgz")
        content = file.read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != integrity:
        raise ValueError(f"{name}: the integrity is {found}, locked is {integrity}")
    return tarfile.open(fileobj=io.BytesIO(content))


def cut(content: bytes, letters: str) -> bytes:
    """A font with these letters only."""
    options = subset.Options(layout_features=["kern", "mark", "mkmk", "ccmp", "locl", "tnum"])
    options.flavor, options.hinting = "woff2", False
    font = TTFont(io.BytesIO(content), recalcTimestamp=False)
    one = subset.Subsetter(options)
    one.populate(unicodes=subset.parse_unicodes(letters))
    one.subset(font)
    out = io.BytesIO()
    font.flavor = "woff2"
    font.save(out)
    return out.getvalue()


def main() -> None:
    """Write the vendored files and their digests anew, from the versions that are locked."""
    lock = json.loads(LOCK.read_text("utf-8"))
    package = fetch(lock["version"], lock["integrity"])
    digests = {}
    for script, letters in LETTERS.items():
        for weight in WEIGHTS:
            name = f"package/files/be-vietnam-pro-{script}-{weight}-normal.woff2"
            member = package.extractfile(name)
            assert member is not None  # noqa: S101 - the locked package holds it
            path = Path("fonts") / f"{script}-{weight}.woff2"
            (STATIC / path).write_bytes(cut(member.read(), letters))
            digests[path.as_posix()] = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()
    licence = package.extractfile("package/LICENSE")
    assert licence is not None  # noqa: S101
    (STATIC / "fonts" / "LICENSE.txt").write_bytes(licence.read())
    LOCK.write_text(json.dumps(lock | {"files": digests}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
