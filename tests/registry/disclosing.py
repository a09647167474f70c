"""Settings under which a plan's table is public."""

from tests.registry import fakes

PLAN = "gia-lai-2026"


def disclosure(id: str, public: bool, plan: str = PLAN) -> fakes.CloudEvent:
    return {
        "id": id, "source": "https://ubnd.example", "type": "vn.hocvuso.disclosure.published",
        "subject": "52@2025", "time": "2026-11-01T00:00:00+07:00",
        "data": {"plan": plan, "public": public, "valid_from": "2026-11-01"},
    }  # fmt: skip
