"""Tasks as CSV and XLSX: a line per task and lead body, in Vietnamese."""

from collections.abc import Iterable, Iterator, Mapping

from services.registry.sheets import Line, Sheet, about_plan
from services.registry.tasks.fold import TaskStanding
from services.registry.tasks.ledger import Ledger
from services.registry.tasks.standing import BodyStanding
from services.registry.tasks.words import TASK, condition_vi

COLUMNS = {
    "Mã nhiệm vụ": 22, "Nhiệm vụ": 60, "Chủ trì": 34, "Phối hợp": 34, "Chỉ đạo": 34, "Kỳ": 12,
    "Hạn": 12, "Trạng thái": 16, "Xong ngày": 12, "Còn thiếu": 50, "Tỷ lệ (%)": 10, "Đã làm": 40,
    "Sản phẩm": 34, "Văn bản": 20, "Ngày văn bản": 12, "Khó khăn": 40,
}  # fmt: skip

Rows = Iterable[tuple[TaskStanding, Mapping[str, BodyStanding]]]


def sheet(ledger: Ledger, rows: Rows, names: Mapping[str, str], *, sandbox: bool) -> Sheet:
    """The list; it says up to which position of the log it is complete."""
    plan = ledger.plan
    about = about_plan(
        plan.plan,
        plan.version,
        plan.document["title_vi"],
        ledger.on,
        ledger.known_at,
        sandbox=sandbox,
    )
    about.append(("Vị trí nhật ký", str(ledger.position)))
    return Sheet("Nhiệm vụ", about, COLUMNS, _lines(ledger, rows, names))


def _lines(ledger: Ledger, rows: Rows, names: Mapping[str, str]) -> Iterator[Line]:
    objectives = {o["id"]: o["text_vi"] for o in ledger.plan.document["objectives"]}
    for task, bodies in rows:
        coordinate, direct = (
            "; ".join(names.get(n, n) for n in task.task.get(role) or ())
            for role in ("coordinate", "direct")
        )
        for name, stands in bodies.items():
            now = stands.current
            said = now.statement.data if now.statement is not None else {}
            lacking = "; ".join(condition_vi(c, objectives) for c in now.conditions if not c.holds)
            yield [
                task.task["id"],
                task.task["title_vi"],
                task.bodies[name].name_vi,
                coordinate,
                direct,
                "" if now.occurrence.id == "once" else now.occurrence.id,
                now.occurrence.last_day,
                TASK[stands.state][1],
                now.done_on,
                lacking,
                said.get("percent", ""),
                said.get("done", ""),
                said.get("product", ""),
                said.get("document_ref", ""),
                said.get("document_date", ""),
                said.get("difficulties", ""),
            ]
