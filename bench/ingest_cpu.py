"""CPU time of the front door per event: parse, validate, pseudonymise, MAC. No I/O.

Run: python -m bench.ingest_cpu
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from services.activities.ingest.intake import Intake
from services.activities.keys.model import Key
from services.activities.privacy import Pseudonyms
from shared.clock import FixedClock
from shared.contracts.definitions import Catalogue
from shared.contracts.live import LiveCatalogue
from shared.domain.growing import MOST_WORDS, grown

EVENTS = 20_000


def bodies(kind: str, data: Callable[[int], dict[str, object]]) -> list[bytes]:
    """Distinct events of one type."""
    return [
        json.dumps(
            {
                "specversion": "1.0",
                "id": f"2026-06-30-{n:06}",
                "source": "https://congan.daklak.example/vneid",
                "type": f"vn.hocvuso.{kind}",
                "subject": "24133",
                "time": "2026-06-30T09:12:00+07:00",
                "data": data(n),
            },
            ensure_ascii=False,
        ).encode()
        for n in range(EVENTS)
    ]


def main() -> None:
    """Print microseconds per event for a small and a wordy event type."""
    clock = FixedClock(datetime(2026, 7, 1, tzinfo=UTC))
    intake = Intake(Catalogue.load(), Pseudonyms(bytes(32)), clock)
    key = Key("bench", "bench", frozenset({"administrator"}))
    samples = {
        "citizen.certified": bodies(
            "citizen.certified",
            lambda n: {
                "person": {"scheme": "cccd", "value": f"066099{n:06}"},
                "target_groups": ["adult"],
                "platform": "vneid",
            },
        ),
        "training.attended, with Vietnamese note": bodies(
            "training.attended",
            lambda n: {
                "person": {"scheme": "phone", "value": f"0905{n:06}"},
                "target_groups": ["adult", "worker"],
                "channel": "in_person",
                "note": "Lớp học buổi tối tại nhà văn hóa thôn 3, ngày 30/06/2026",
            },
        ),
    }
    catalogue = LiveCatalogue(Catalogue.load())
    catalogue.follow(grown(catalogue.shipped, extensions(catalogue)), 1)
    crowded = Intake(catalogue, Pseudonyms(bytes(32)), clock)
    for name, events in samples.items():
        for what, door in ((name, intake), (f"{name}, 200 own words in every list", crowded)):
            best = float("inf")
            for _ in range(3):
                start = time.process_time()
                for raw in events:
                    judged = door.judge(raw, key, None)
                    assert judged.problem is None, judged.problem
                best = min(best, (time.process_time() - start) / EVENTS)
            print(f"{what}: {best * 1e6:.1f} microseconds per event ({1 / best:,.0f}/s)")


def extensions(catalogue: Catalogue) -> list[dict[str, object]]:
    """As many words of its own as an instance may have."""
    words = [{"value": f"own-{n}", "title_vi": f"Mục {n}"} for n in range(MOST_WORDS)]
    return [{"list_name": name, "entries": words} for name in catalogue.words.enums["growing_list"]]


if __name__ == "__main__":
    main()
