"""Recipes for activities, structures and reports."""

from datetime import timedelta

from deploy.sandbox.scene import Json, Recipe, Scene

_LOCAL = ["local_page", "fanpage", "zalo", "facebook", "youtube", "tiktok", "portal"]
_BASIC = [
    "online_public_services",
    "online_shopping",
    "online_payment",
    "online_safety",
    "admin_procedure_platforms",
]


def _activity(s: Scene) -> Json:
    s.in_hamlet(0.2)
    kind = "visual_propaganda" if s.chance(0.75) else s.rng.choice(["talk", "experience"])
    return {"kind": kind, "participants": s.rng.randint(1, 300), "topics": ["movement"]} | s.extra


def _class(s: Scene) -> Json:
    ref = s.ref("lop")
    s.memory.classes.append(ref)
    data: Json = {"class_ref": ref, "participants": s.rng.randint(8, 60), "channel": "in_person"}
    if s.chance(0.3):
        data["target_groups"] = [s.rng.choice(["cnscd_member", "disabled", "elderly", "farmer"])]
    if s.chance(0.05):
        data["programme"] = "cds-experts"
    s.in_hamlet(0.15)
    return data


def _session(s: Scene) -> Json:
    s.in_hamlet(0.8)
    data: Json = {"kind": s.rng.choice(["community_session", "guidance", "digital_literacy_week"])}
    data["participants"] = s.rng.randint(3, 80)
    if s.chance(0.6):
        data["topics"] = s.rng.sample(_BASIC, s.rng.randint(1, 4))
    if s.chance(0.5):
        data["channel"] = s.rng.choice(["in_person", "in_person", "hybrid", "online"])
    return data | s.extra


def _post(s: Scene) -> Json:
    """Now and then the same page again, on another channel: it still counts once."""
    if s.memory.pages and s.chance(0.2):
        url = s.rng.choice(s.memory.pages[-4:])
    else:
        url = f"https://xa-{s.commune.code}.example/tin/{s.serial:x}"
        s.memory.pages.append(url)
    kind = s.rng.choice(["news", "article", "short_video", "short_video", "photo"])
    return {"kind": kind, "channel": s.rng.choice(_LOCAL), "url": url, "topic": "results"} | s.extra


def _material(s: Scene) -> Json:
    channel = s.rng.choice(["portal", "portal", "zalo", "fanpage", "official_media"])
    url = f"https://xa-{s.commune.code}.example/tai-lieu/{channel}"
    data: Json = {"material_id": "so-tay-kns", "channel": channel, "url": url, "language": "vi"}
    return data | s.extra


def _launch(s: Scene) -> Json:
    s.at_province()
    return {"launch_ref": f"le-phat-dong-{s.serial:x}", "kind": "movement", "participants": 300}


def _attended(s: Scene) -> Json:
    return {"channel": "online", "participants": s.rng.randint(10, 60)}


def _festival(s: Scene) -> Json:
    return {"participants": s.rng.randint(80, 900), "channel": "in_person"}


def _promoted(s: Scene) -> Json:
    """A department, a school, or (without `organisation`) the commune itself."""
    data: Json = {"contest": "tim-hieu-cds-2026"}
    if s.chance(0.25):
        s.at_province()
        name = s.rng.choice(["so-khcn", "so-gddt", "so-noi-vu", "so-cong-thuong"])
        return data | {"organisation": {"scheme": "code", "value": name}, "kind": "department"}
    if s.chance(0.3):
        school = f"truong-{s.commune.code}-{s.rng.randint(1, 2)}"
        return data | {"organisation": {"scheme": "code", "value": school}, "kind": "school"}
    return data | {"kind": "commune"}


def _reinforced(s: Scene) -> Json:
    added = 0 if s.chance(0.15) else s.rng.randint(1, 6)
    return {"members_before": s.rng.randint(3, 9), "members_added": added} | s.extra


def _team(s: Scene) -> Json:
    s.in_hamlet()
    return {"team_ref": f"to-{s.subject}", "members": s.rng.randint(3, 9)} | _term(s)


def _committee(s: Scene) -> Json:
    return {"name": f"Ban Chỉ đạo {s.commune.name}", "decision_no": "60/QĐ-UBND"} | _term(s)


def _staff(s: Scene) -> Json:
    role = "online_public_service_support" if s.chance(0.8) else "telecom_secondment"
    someone = s.people.pick(s.rng, "staff", "civil_servant", "agency_employee")
    return {"person": someone.by_identity(), "role": role} | _term(s)


def _term(s: Scene) -> Json:
    """First and last day of a state: sometimes said, sometimes the event's day and for good."""
    data: Json = {}
    if s.chance(0.5):
        data["from"] = (s.day + timedelta(days=s.rng.choice([-30, -3, 0, 5, 40]))).isoformat()
    if s.chance(0.1):
        data["to"] = (s.day + timedelta(days=s.rng.choice([0, 15, 60]))).isoformat()
    return data


def _proposed(s: Scene) -> Json:
    kind = s.rng.choice(["cong_dan_so_tieu_bieu", "thon_buon_khu_pho_so_tieu_bieu"])
    names = s.memory.models.setdefault(kind, [])
    names.append(f"{s.commune.code}-mh{len(names) + 1}")
    return {"model_ref": names[-1], "kind": kind}


def _recognised(s: Scene) -> Json:
    kind = s.rng.choice(["cong_dan_so_tieu_bieu", "thon_buon_khu_pho_so_tieu_bieu"])
    known = s.memory.models.get(kind) or [f"{s.commune.code}-mh0"]
    return {"model_ref": s.rng.choice(known), "kind": kind} | s.extra


def _conference(s: Scene) -> Json:
    kind = "closing" if s.day.month >= 11 else "interim"
    return {"kind": kind, "participants": s.rng.randint(20, 150)} | s.extra


def _programme(s: Scene) -> Json:
    """A school's cumulative report on a grade: it replaces the school's earlier one."""
    classes = sorted(s.memory.pupils)
    if classes and s.chance(0.6):
        name = s.rng.choice(classes)
    else:
        kind = "cd" if s.chance(0.2) else "th"
        grade = s.rng.choice(["", "6", "7"])
        name = f"{kind}-{s.commune.code}-{s.rng.randint(1, 2)}/{grade}"
    school, _, grade = name.partition("/")
    total = s.memory.pupils.setdefault(name, s.rng.randint(20, 120))
    share = min(1.0, 0.2 + (s.day.timetuple().tm_yday / 366) * s.rng.uniform(0.5, 1.2))
    s.in_hamlet(0.25)
    data: Json = {
        "school": school,
        "target_groups": ["student"] if school.startswith("cd") else ["pupil"],
        "pupils_total": total,
        "pupils_completed": int(total * share),
        "reporter": school,
        "reporter_kind": "school",
    }
    return data | ({"grade": grade} if grade else {})


def _submitted(s: Scene) -> Json:
    total = s.rng.randint(100, 2000)
    kind = s.rng.choice(["commune", "enterprise", "association"])
    return {
        "obligation": "workers-periodic-report",
        "period": f"2026-Q{(s.day.month + 2) // 3}",
        "target_groups": ["worker"],
        "people_total": total,
        "people_completed": s.rng.randint(0, total),
        "reporter": f"{kind}-{s.commune.code}",
        "reporter_kind": kind,
    }


def _domain(s: Scene) -> Json:
    number = s.rng.randint(1, 30)
    owner = {"scheme": "tax", "value": f"60{int(s.commune.code):05d}{number:03d}"}
    kind = s.rng.choice(["household_business", "enterprise"])
    return {"organisation": owner, "kind": kind, "tld": s.rng.choice([".vn", ".vn", "other"])}


def _enterprise(s: Scene) -> Json:
    owner = {"scheme": "tax", "value": f"61{int(s.commune.code):05d}{s.rng.randint(1, 9):03d}"}
    total = s.rng.randint(5, 300)
    data: Json = {"organisation": owner, "kind": "enterprise", "workers_total": total}
    return data | {"workers_enrolled": s.rng.randint(0, total), "platform": "binhdanhocvuso"}


def _column(s: Scene) -> Json:
    return {"url": f"https://xa-{s.commune.code}.example/binh-dan-hoc-vu-so", "accessible": True}


def _gap(s: Scene) -> Json:
    s.memory.gaps.append(s.ref("lom"))
    return {"gap_ref": s.memory.gaps[-1], "place": s.commune.name, "technology": "4g"}


def _gap_closed(s: Scene) -> Json:
    return {"gap_ref": s.memory.gaps.pop(0) if s.memory.gaps else s.ref("lom")}


def _figure(s: Scene) -> Json:
    month_end = s.day.isoformat()
    data: Json = {"plan": s.plan, "objective": "adults-certified-vneid", "as_of": month_end}
    return data | {"number": s.rng.randint(10, 5000), "authority": "Công an (mô phỏng)"}


def _review(s: Scene) -> Json:
    return {"kind": "weekly", "data_as_of": s.day.isoformat(), "decisions": "Tăng cường cơ sở"}


def _force(s: Scene) -> Json:
    return {"reason": "cold_spot", "team": "Đội tình nguyện", "members": s.rng.randint(3, 15)}


ACTIVITIES: list[Recipe] = [
    Recipe("activity.held", "commune", 4, _activity),
    Recipe("class.held", "commune", 3, _class),
    Recipe("guidance_session.held", "hamlet", 6, _session),
    Recipe("post.published", "commune", 6, _post),
    Recipe("material.published", "commune", 1.5, _material, ("01-05", "05-15")),
    Recipe("launch.held", "department", 0.1, _launch, ("03-01", "03-31")),
    Recipe("launch.attended", "commune", 0.5, _attended, ("02-25", "04-10")),
    Recipe("festival.held", "commune", 0.3, _festival, ("10-01", "10-15")),
    Recipe("contest.promoted", "commune", 1.5, _promoted, ("07-15", "09-10")),
    Recipe("contest.promoted", "department", 0.3, _promoted, ("08-01", "08-31")),
    Recipe("contest.held", "department", 0.1, lambda s: {"contest": f"thi-{s.serial:x}"}),
    Recipe("team.reinforced", "commune", 1, _reinforced, ("01-05", "05-20")),
    Recipe("team.established", "hamlet", 0.6, _team),
    Recipe("committee.established", "commune", 0.4, _committee),
    Recipe("staff.assigned", "commune", 1, _staff),
    Recipe("model.proposed", "commune", 0.8, _proposed),
    Recipe("model.recognised", "department", 1.5, _recognised),
    Recipe("conference.held", "commune", 0.5, _conference),
    Recipe("programme.completed", "school", 4, _programme),
    Recipe("report.submitted", "commune", 1, _submitted),
    Recipe(
        "report.consolidated", "department", 0.2, lambda _: {"obligation": "propaganda-summary"}
    ),
    Recipe("figure.reported", "department", 0.3, _figure),
    Recipe(
        "nil.reported",
        "commune",
        0.2,
        lambda s: {
            "event_type": "class.held",
            "from": s.day.isoformat(),
            "to": s.day.isoformat(),
        },
    ),
    Recipe("feedback.received", "provider", 0.3, lambda _: {"channel": "dak_lak_so"}),
    Recipe("issue.raised", "commune", 0.3, lambda _: {"text": "Thiếu thiết bị tại nhà văn hóa"}),
    Recipe("inspection.held", "party_body", 0.2, lambda _: {"document_ref": "12/BC-MTTQ"}),
    Recipe("review.held", "commune", 0.3, _review),
    Recipe("column.opened", "commune", 0.3, _column),
    Recipe("document.issued", "commune", 0.5, lambda s: {"kind": "plan", "parent_plan": s.plan}),
    Recipe("domain.registered", "registrar", 0.4, _domain),
    Recipe("enterprise.enrolled", "enterprise", 0.6, _enterprise),
    Recipe("award.granted", "department", 0.2, lambda _: {"form": "commendation"}),
    Recipe("agreement.signed", "department", 0.1, lambda _: {"document_ref": "QC-01/2026"}),
    Recipe("force.dispatched", "mass_organisation", 0.4, _force, ("05-15", "09-30")),
    Recipe("coverage_gap.recorded", "telecom", 0.3, _gap),
    Recipe("coverage_gap.closed", "telecom", 0.2, _gap_closed),
]
