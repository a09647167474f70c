"""What all services share. It knows no service."""

import sys

# httpx imports its command line, and with it a terminal library and a highlighter, wherever those are
# installed: eight megabytes and a tenth of a second for each process. Its fallback is made for this.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
