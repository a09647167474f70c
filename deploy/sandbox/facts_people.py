"""Recipes for what people learn, pass, register and install."""

from deploy.sandbox.scene import Json, Memory, Recipe, Scene

NATIONAL_PLATFORM_V1 = "https://hocvuso.example/schemas/course.registered/1"
_SKILLS = ["online_public_services", "online_shopping", "online_payment", "online_safety"]
_PROCEDURES = ["admin_procedure_platforms", "dak_lak_so"]


def _certified(s: Scene) -> Json:
    someone, data = s.person("certified", "adult")
    data |= {"platform": "vneid", "age": someone.age}
    if s.chance(0.15) and 6 <= s.day.month <= 8:
        data["campaign"] = "mua-he-so"
    if s.chance(0.02):
        s.at_province()
    return data


def _trained(s: Scene) -> Json:
    someone, data = s.person("trained")
    data["topics"] = s.rng.sample([*_SKILLS, *_PROCEDURES, "ai_tools"], s.rng.randint(1, 3))
    data["channel"] = s.rng.choice(["in_person", "in_person", "online", "hybrid", "mooc"])
    if "pupil" in someone.groups:
        data["school_level"] = "primary" if someone.age < 11 else "lower_secondary"
    if s.memory.classes and s.chance(0.5):
        data["class_ref"] = s.class_prefix + s.rng.choice(s.memory.classes)
    elif s.chance(0.05):
        data["programme"] = "cds-experts"
    if s.chance(0.2):
        data["age"] = someone.age
    s.in_hamlet(0.3)
    return data


def _completed(s: Scene) -> Json:
    _, data = s.person("completed", "adult", "student")
    data |= {"platform": s.rng.choice(["binhdanhocvuso", "binhdanhocvuso", "other_mooc"])}
    return data | {"course_id": "kns-co-ban", "result": s.rng.choice(["passed", "attended"])}


def _registered(s: Scene) -> Json:
    groups = ("civil_servant", "agency_employee") if s.chance(0.7) else ("adult",)
    _, data = s.person("registered", *groups)
    data["course_id"] = "kns-co-ban"
    if s.chance(0.3):
        s.dataschema = NATIONAL_PLATFORM_V1
        return data | {"channel": s.rng.choice(["binhdanhocvuso.gov.vn", "mooc", "other"])}
    return data | {"platform": s.rng.choice(["binhdanhocvuso", "binhdanhocvuso", "other_mooc"])}


def _passed(s: Scene) -> Json:
    groups = ("civil_servant", "agency_employee") if s.chance(0.8) else ()
    _, data = s.person("passed", *groups)
    return data | {"platform": "binhdanhocvuso", "score": s.rng.choice([61.5, 75, 82, 90.25])}


def _confirmed(s: Scene) -> Json:
    groups = ("civil_servant",) if s.chance(0.4) else ()
    _, data = s.person("confirmed", *groups)
    if s.chance(0.85):
        data["topic"] = s.rng.choice([*_PROCEDURES, *_PROCEDURES, "online_payment", "vneid"])
    return data | {"level": s.rng.choice(["able", "good", "proficient"]), "basis": "observation"}


def _outreach(s: Scene) -> Json:
    channel = s.rng.choice(["sms", "visit", "meeting", "zalo", "call"])
    data: Json = {
        "channel": channel,
        "topic": s.rng.choice(["digital_signature", *_PROCEDURES, "movement"]),
    }
    kind = s.rng.random()
    if kind < 0.15:
        return data | {"recipients": s.rng.randint(50, 4000)}
    if kind < 0.2:
        return data | {"household": _household(s)}
    groups = ("civil_servant",) if data["topic"] == "digital_signature" else ()
    someone, who = s.person(f"reached {data['topic']}", *groups)
    if s.chance(0.35):
        who["person"] = someone.by_phone()
    s.in_hamlet(0.2)
    return data | who


def _household(s: Scene) -> Json:
    number = s.rng.randint(1, 4 + len(s.people.all) // 3)
    return {"scheme": "household", "value": f"HK-{s.commune.code}-{number}"}


def _signature(s: Scene) -> Json:
    someone, data = s.person("signed up", "adult", "resident")
    channel = "vneid" if s.chance(0.8) else "other"
    if s.chance(0.04):
        data["to"] = s.day.isoformat()
    return data | {"channel": channel, "age": someone.age}


def _signature_used(s: Scene) -> Json:
    if s.chance(0.3):
        total = s.rng.randint(50, 900)
        month = s.day.replace(day=1).isoformat()
        figures = {"transactions_total": total, "transactions_signed": s.rng.randint(0, total)}
        return {"service": "dich-vu-cong", "period_start": month} | figures
    _, data = s.person("signs", "adult")
    return data | {"service": s.rng.choice(["thue-dien-tu", "dich-vu-cong"])}


def _installed(s: Scene) -> Json:
    app = s.rng.choice(["dak-lak-so", "dak-lak-so", "vneid", "etax-mobile"])
    if s.chance(0.2):
        device = {"scheme": "device", "value": f"may-{s.commune.code}-{s.rng.randint(1, 40)}"}
        return {"app": app, "device": device}
    someone = s.people.pick(s.rng, f"installed {app}")
    who = someone.by_phone() if s.chance(0.3) else someone.by_identity()
    return {"app": app, "person": who}


def _identity(s: Scene) -> Json:
    someone = s.people.pick(s.rng, "identity")
    data: Json = {"person": someone.by_identity(), "age": someone.age, "level": "2"}
    if s.chance(0.05):
        data["to"] = s.day.isoformat()
    return data


def _family(s: Scene) -> Json:
    s.in_hamlet(0.7)
    data: Json = {"household": _household(s), "level": "able", "basis": "observation"}
    if s.chance(0.5):
        data["person"] = s.people.pick(s.rng, "family").by_identity()
    return data


def _mentor(s: Scene) -> Json:
    """Two mentors per commune at most, so that some come to five mentees."""
    memory: Memory = s.memory
    name = s.rng.choice(["a", "a", "b"])
    pairs = memory.mentors.setdefault(name, [])
    mentor = s.people.all[0 if name == "a" else 1]
    mentee = s.people.pick(s.rng, f"mentee of {name}")
    pairs.append(mentee)
    data: Json = {"mentor": mentor.by_identity(), "mentee": mentee.by_identity()}
    if s.chance(0.5):
        data["from"] = s.day.isoformat()
    return data | {"mentor_role": "youth_union"}


def _certificate(s: Scene) -> Json:
    someone = s.people.pick(s.rng, "expert")
    return {"person": someone.by_identity(), "programme": "cds-experts"}


def _requested(s: Scene) -> Json:
    ref = s.ref("yc")
    s.memory.requests.append(ref)
    return {"request_ref": ref, "service": s.rng.choice(["khai-sinh", "cu-tru", "dat-dai"])}


def _given(s: Scene) -> Json:
    """Mostly the oldest open request, now and then one that nobody recorded."""
    known = s.memory.requests and s.chance(0.9)
    ref = s.memory.requests.pop(0) if known else s.ref("yc")
    return {"able_to_act": s.chance(0.85), "request_ref": ref}


def _entered(s: Scene) -> Json:
    data: Json = {"contest": "tim-hieu-cds-2026", "score": float(s.rng.randint(10, 100))}
    if s.chance(0.8):
        _, who = s.person("entered")
        data |= who
    return data


PEOPLE: list[Recipe] = [
    Recipe("citizen.certified", "police", 13, _certified),
    Recipe("training.attended", "commune", 9, _trained),
    Recipe("training.attended", "enterprise", 2, _trained),
    Recipe("training.attended", "school", 2, _trained),
    Recipe("course.completed", "mooc", 4, _completed),
    Recipe("course.registered", "mooc", 4, _registered),
    Recipe("assessment.passed", "mooc", 3, _passed),
    Recipe("skill.confirmed", "commune", 6, _confirmed),
    Recipe("outreach.delivered", "telecom", 5, _outreach),
    Recipe("signature.registered", "police", 4, _signature),
    Recipe("signature.used", "provider", 2, _signature_used),
    Recipe("app.installed", "provider", 1.5, _installed),
    Recipe("digital_identity.activated", "police", 1.5, _identity),
    Recipe("household.member_qualified", "hamlet", 1.2, _family),
    Recipe("mentor.assigned", "mass_organisation", 2, _mentor),
    Recipe("certificate.issued", "department", 0.4, _certificate),
    Recipe("assistance.requested", "service_centre", 3, _requested),
    Recipe("assistance.given", "service_centre", 2.6, _given),
    Recipe("contest.entered", "mooc", 1, _entered, ("08-01", "08-31")),
]
