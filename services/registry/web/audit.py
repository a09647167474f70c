"""What was done to keys, invitations, quotas and the quarantine, and by whom: for administrators.

activities keeps the audit, append-only, and answers it to administrators alone; here it is read.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.registry.access import SignedIn
from services.registry.invitations import ask
from services.registry.state import Registry
from services.registry.web.language import N_
from services.registry.web.render import PageRoute, show

router = APIRouter(prefix="/audit", route_class=PageRoute, include_in_schema=False)

ACTIONS = {
    "key.created": N_("Cấp khóa truy cập"),
    "key.rotated": N_("Đổi khóa truy cập"),
    "key.narrowed": N_("Thu hẹp quyền của khóa"),
    "key.handed_over": N_("Trao khóa cho người được mời"),
    "key.revoked": N_("Thu hồi khóa truy cập"),
    "client.created": N_("Thêm ứng dụng đăng nhập"),
    "invitation.created": N_("Mời người dùng"),
    "invitation.accepted": N_("Lời mời được nhận"),
    "invitation.revoked": N_("Rút lời mời"),
    "quota.set": N_("Đặt hạn mức gửi"),
    "quarantine.replayed": N_("Gửi lại hoạt động bị giữ"),
    "quarantine.dismissed": N_("Bỏ hoạt động bị giữ"),
    "person.erased": N_("Xóa dữ liệu của một người"),
}
"""Action of the audit -> what a reader calls it."""
PAGE = 50


@router.get("")
async def audit_page(
    state: Registry,
    caller: SignedIn,
    action: Annotated[str, Query(max_length=60)] = "",
    by: Annotated[str, Query(max_length=200)] = "",
    about: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> HTMLResponse:
    """Acts, newest first; who is no administrator is told so by activities."""
    asked = {"action": action, "by": by.strip(), "about": about.strip()}
    asked = {name: text for name, text in asked.items() if text}
    query: dict[str, Any] = {**asked, "limit": PAGE} | ({"before": before} if before else {})
    said = await ask(state.activities, "GET", f"/v1/audit?{urlencode(query)}", caller.authorization)
    older = None if said["next"] is None else urlencode({**asked, "before": said["next"]})
    return show(
        state, "audit.html", acts=[_shown(one) for one in said["acts"]], actions=ACTIONS,
        asked={"action": "", "by": "", "about": "", **asked}, older=older, first=before is None,
    )  # fmt: skip


def _shown(act: dict[str, Any]) -> dict[str, Any]:
    """An act with its moment as such, and what it said of the change as pairs of texts."""
    said = [(name, _text(value)) for name, value in act["detail"].items()]
    return {
        **act, "at": datetime.fromisoformat(act["at"]), "detail": [one for one in said if one[1]],
    }  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)
