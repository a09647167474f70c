"""The migrate step of the images: a one-shot container that ends before any service starts."""

import sys

from deploy.migrate import run
from shared.db import ForeignDatabase

if __name__ == "__main__":
    try:
        run()
    except ForeignDatabase as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
    sys.stdout.write("databases migrated; the administrator's key is in its file\n")
