"""The events, one class per type (latest version): pass them to `Client.emit`.

Made from the definitions of the event types; do not edit. What may name a person is left out of
every `repr`.
"""

import datetime as dt
from dataclasses import dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Literal

from hocvuso_client.typed import Device, EventData, Household, Organisation, Part, Person

# fmt: off

ActivityKind = Literal["visual_propaganda", "party_cell_session", "talk", "experience", "culture", "other"]
App = Literal["dak-lak-so", "vneid", "etax-mobile", "vssid", "other"]
AwardForm = Literal["certificate_of_merit", "commendation", "honour", "other"]
ChatApp = Literal["zalo", "facebook", "viber", "telegram", "other"]
ClassPointKind = Literal["mobile", "community_house", "school", "market", "post_office", "worship", "other"]
ConferenceKind = Literal["closing", "interim", "workshop"]
CourseChannelV1 = Literal["binhdanhocvuso.gov.vn", "mooc", "vneid", "other"]
CourseResult = Literal["passed", "failed", "attended"]
DecisionOutcome = Literal["done", "in_progress", "not_done"]
DeviceKind = Literal["smartphone", "tablet", "computer", "router", "sim", "other"]
DispatchReason = Literal["cold_spot", "campaign", "other"]
DocumentKind = Literal["plan", "emulation_plan", "guideline", "response_plan", "other"]
Era = Literal["2004", "2025"]
FeedbackChannel = Literal["dak_lak_so", "hamlet_head", "hotline", "portal", "other"]
GapTechnology = Literal["2g", "3g", "4g", "5g", "fixed"]
GrowingList = Literal["target_group", "topic", "app", "model_kind", "population", "platform", "outreach_channel", "media_channel", "session_kind", "activity_kind", "holder", "market_kind", "class_point_kind"]
Holder = Literal["youth_union", "womens_union", "farmers_union", "veterans", "trade_union", "fatherland_front", "elderly_association", "learning_association", "party_body", "commune", "department", "community_team", "school", "police", "military", "service_centre", "telecom", "enterprise", "religious_body", "other"]
IdentityLevel = Literal["1", "2"]
IssueKind = Literal["difficulty", "proposal"]
IssueStatus = Literal["open", "resolved", "rejected"]
Language = Literal["vi", "ede", "mnong", "jrai", "bahnar", "tay", "nung", "thai", "hmong", "dao", "khmer", "stieng", "cham", "en", "other"]
LaunchKind = Literal["movement", "emulation", "digital_literacy_week", "campaign", "other"]
LearningChannel = Literal["in_person", "online", "hybrid", "mooc"]
MarketKind = Literal["market", "shop", "street", "stall_online", "other"]
MediaChannel = Literal["official_media", "local_channel", "local_page", "portal", "zalo", "fanpage", "facebook", "youtube", "tiktok"]
MentorRole = Literal["youth_union", "student", "civil_servant", "community_team", "other"]
ModelKind = Literal["cong_dan_so_tieu_bieu", "thon_buon_khu_pho_so_tieu_bieu", "gia_dinh_so", "don_vi_so", "cong_dong_so", "other"]
OrganisationKind = Literal["department", "commune", "school", "enterprise", "cooperative", "household_business", "service_centre", "association", "other"]
OutreachChannel = Literal["sms", "visit", "meeting", "leaflet", "loudspeaker", "zalo", "call", "app", "other"]
PaymentMeans = Literal["bank_account", "e_wallet", "mobile_money", "qr_code", "social_security", "other"]
PaymentPurpose = Literal["electricity", "water", "tuition", "hospital_fee", "public_service_fee", "tax", "social_benefit", "shopping", "other"]
Platform = Literal["binhdanhocvuso", "vneid", "other_mooc", "enterprise_lms", "school_lms", "other"]
Population = Literal["adults", "residents", "residents_15_plus", "citizens_16_plus", "civil_servants", "civil_servants_and_employees", "pupils_primary_up", "pupils_and_students", "secondary_pupils_and_students", "workers_enterprises_coops", "cnscd_members", "expert_trainees", "mentors", "households", "household_businesses", "smartphone_users", "service_centre_visitors_needing_help", "organisations", "enterprises_coops", "communes", "remote_communes", "hamlets"]
PostKind = Literal["news", "article", "short_video", "photo", "other"]
PresenceChannel = Literal["in_person", "online", "hybrid"]
ReportStep = Literal["edited", "reviewed", "confirmed", "numbered", "signed", "reopened"]
ReporterKind = Literal["commune", "district", "department", "school", "enterprise", "association", "telecom", "other"]
ReviewKind = Literal["weekly", "monthly", "quarterly", "yearly", "campaign"]
SchoolLevel = Literal["primary", "lower_secondary", "upper_secondary", "vocational", "higher"]
SessionKind = Literal["community_session", "door_to_door", "digital_literacy_week", "guidance", "market", "other"]
SignatureChannel = Literal["vneid", "other"]
SkillBasis = Literal["test", "observation", "usage_log"]
SkillLevel = Literal["able", "good", "proficient"]
StaffRole = Literal["online_public_service_support", "community_team_support", "telecom_secondment", "other"]
SuccessionPart = Literal["whole", "part"]
TargetGroup = Literal["adult", "resident", "civil_servant", "agency_employee", "worker", "pupil", "student", "elderly", "disabled", "cnscd_member", "farmer", "small_trader", "household_business", "ethnic_minority", "poor", "disadvantaged", "party_member", "unskilled_worker", "rural_resident", "remote_resident", "respected_person", "core_force", "digital_officer", "security_incident_team"]
TaskStatus = Literal["not_started", "in_progress", "blocked", "done"]
Tld = Literal[".vn", "other"]
Topic = Literal["digital_transformation", "smart_device", "online_public_services", "online_shopping", "online_payment", "online_safety", "admin_procedure_platforms", "dak_lak_so", "digital_signature", "vneid", "ai_tools", "e_commerce", "digital_health", "personal_data", "results", "movement", "other"]
UnitAttribute = Literal["remote", "difficult", "rural", "ethnic_minority_area", "border", "island"]
UnitKind = Literal["nation", "province", "city", "district", "ward", "commune", "township", "special_zone", "hamlet", "organisation"]
UnitLevel = Literal["province", "district", "commune", "hamlet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(Part):
    subject: str | None = None
    time: dt.datetime | None = None
    data: dict[str, Any] | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKey(Part):
    source: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry(Part):
    value: str
    title_vi: str = _field(repr=False)
    implies: list[str] | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShare(Part):
    unit_id: str
    part: SuccessionPart


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityHeld(EventData):
    """A propaganda or experience activity is held."""

    TYPE: ClassVar[str] = "activity.held"
    VERSION: ClassVar[str] = "1"

    kind: ActivityKind
    topics: list[Topic] | tuple[Topic, ...] | None = None
    participants: int | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    language: Language | None = None
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementSigned(EventData):
    """A coordination agreement between forces is signed."""

    TYPE: ClassVar[str] = "agreement.signed"
    VERSION: ClassVar[str] = "2"

    parties: list[str] | tuple[str, ...] | None = _field(default=None, repr=False)
    date: dt.date | None = None
    document_ref: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppInstalled(EventData):
    """A smartphone user has a required app installed."""

    TYPE: ClassVar[str] = "app.installed"
    VERSION: ClassVar[str] = "1"

    person: Person | None = None
    device: Device | None = None
    app: App
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    installed_on: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentPassed(EventData):
    """A learner passes an assessment."""

    TYPE: ClassVar[str] = "assessment.passed"
    VERSION: ClassVar[str] = "1"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    assessment_id: str | None = None
    framework: str | None = None
    platform: Platform
    score: float | None = None
    passed_on: dt.date | None = None
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistanceGiven(EventData):
    """The visitor was guided."""

    TYPE: ClassVar[str] = "assistance.given"
    VERSION: ClassVar[str] = "2"

    request_ref: str = _field(repr=False)
    able_to_act: bool
    centre: str | None = _field(default=None, repr=False)
    service: str | None = None
    person: Person | None = None
    helper: str | None = _field(default=None, repr=False)
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistanceRequested(EventData):
    """A visitor of a service centre needs help with an online service."""

    TYPE: ClassVar[str] = "assistance.requested"
    VERSION: ClassVar[str] = "2"

    request_ref: str = _field(repr=False)
    centre: str | None = _field(default=None, repr=False)
    service: str | None = None
    person: Person | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardGranted(EventData):
    """A collective or person is commended."""

    TYPE: ClassVar[str] = "award.granted"
    VERSION: ClassVar[str] = "1"

    form: AwardForm
    decision_no: str | None = _field(default=None, repr=False)
    occasion: str | None = _field(default=None, repr=False)
    person: Person | None = None
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralDocumentIssued(EventData):
    """The centre issues a document on which deadlines depend."""

    TYPE: ClassVar[str] = "central_document.issued"
    VERSION: ClassVar[str] = "1"

    document: str = _field(repr=False)
    document_kind: DocumentKind | None = None
    number: str | None = _field(default=None, repr=False)
    issued_on: dt.date
    starts_deadline_of: list[str] | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(EventData):
    """A course certificate is issued to a trainee."""

    TYPE: ClassVar[str] = "certificate.issued"
    VERSION: ClassVar[str] = "1"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    programme: str
    class_ref: str | None = _field(default=None, repr=False)
    certificate_no: str | None = _field(default=None, repr=False)
    issued_on: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatGroupOpened(EventData):
    """A community chat group reaches the residents of a hamlet or commune."""

    TYPE: ClassVar[str] = "chat_group.opened"
    VERSION: ClassVar[str] = "1"

    group_ref: str = _field(repr=False)
    app: ChatApp
    name: str | None = _field(default=None, repr=False)
    members: int | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenCertified(EventData):
    """A person is confirmed as having reached universal digital skills on VNeID."""

    TYPE: ClassVar[str] = "citizen.certified"
    VERSION: ClassVar[str] = "1"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    age: int | None = None
    platform: Platform | None = None
    framework: str | None = None
    level: str | None = None
    certified_on: dt.date | None = None
    to: dt.date | None = None
    batch_id: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassHeld(EventData):
    """A class or course is held."""

    TYPE: ClassVar[str] = "class.held"
    VERSION: ClassVar[str] = "2"

    class_ref: str | None = _field(default=None, repr=False)
    programme: str | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    topics: list[Topic] | tuple[Topic, ...] | None = None
    sessions: int | None = None
    participants: int | None = None
    channel: LearningChannel | None = None
    language: Language | None = None
    trainer: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPointOpened(EventData):
    """A point is opened where residents learn, mobile ones above all."""

    TYPE: ClassVar[str] = "class_point.opened"
    VERSION: ClassVar[str] = "1"

    point_ref: str = _field(repr=False)
    kind: ClassPointKind
    place: str | None = _field(default=None, repr=False)
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    devices: int | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnOpened(EventData):
    """A page or column on the movement is opened."""

    TYPE: ClassVar[str] = "column.opened"
    VERSION: ClassVar[str] = "1"

    organisation: Organisation | None = None
    url: str
    opened_on: dt.date | None = None
    accessible: bool | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitteeEstablished(EventData):
    """A steering committee is set up."""

    TYPE: ClassVar[str] = "committee.established"
    VERSION: ClassVar[str] = "2"

    name: str | None = _field(default=None, repr=False)
    decision_no: str | None = _field(default=None, repr=False)
    decision_date: dt.date | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceHeld(EventData):
    """A closing, interim or thematic conference is held."""

    TYPE: ClassVar[str] = "conference.held"
    VERSION: ClassVar[str] = "1"

    kind: ConferenceKind
    held_on: dt.date | None = None
    participants: int | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestEntered(EventData):
    """One entry in an online contest."""

    TYPE: ClassVar[str] = "contest.entered"
    VERSION: ClassVar[str] = "1"

    contest: str
    entry_no: str | None = _field(default=None, repr=False)
    person: Person | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    score: float | None = None
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestHeld(EventData):
    """A contest is organised."""

    TYPE: ClassVar[str] = "contest.held"
    VERSION: ClassVar[str] = "1"

    contest: str
    from_: dt.date | None = None
    to: dt.date | None = None
    platform: Platform | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestPromoted(EventData):
    """An agency, commune or school has mobilised people for the contest."""

    TYPE: ClassVar[str] = "contest.promoted"
    VERSION: ClassVar[str] = "2"

    organisation: Organisation | None = None
    kind: OrganisationKind | None = None
    contest: str | None = None
    means: str | None = _field(default=None, repr=False)
    evidence_url: str | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCompleted(EventData):
    """A learner finishes a course."""

    TYPE: ClassVar[str] = "course.completed"
    VERSION: ClassVar[str] = "1"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    course_id: str | None = None
    programme: str | None = None
    platform: Platform | None = None
    channel: LearningChannel | None = None
    result: CourseResult | None = None
    class_ref: str | None = _field(default=None, repr=False)
    completed_on: dt.date | None = None
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseRegistered(EventData):
    """A learner enrols in an online course."""

    TYPE: ClassVar[str] = "course.registered"
    VERSION: ClassVar[str] = "2"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    course_id: str | None = None
    programme: str | None = None
    platform: Platform
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGapClosed(EventData):
    """The place has signal now."""

    TYPE: ClassVar[str] = "coverage_gap.closed"
    VERSION: ClassVar[str] = "1"

    gap_ref: str = _field(repr=False)
    closed_on: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGapRecorded(EventData):
    """A place without signal is reported."""

    TYPE: ClassVar[str] = "coverage_gap.recorded"
    VERSION: ClassVar[str] = "1"

    gap_ref: str = _field(repr=False)
    place: str | None = _field(default=None, repr=False)
    technology: GapTechnology | None = None
    reported_on: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFollowed(EventData):
    """What became of a decision of a review."""

    TYPE: ClassVar[str] = "decision.followed"
    VERSION: ClassVar[str] = "1"

    review_ref: str = _field(repr=False)
    outcome: DecisionOutcome
    remark: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGiven(EventData):
    """Devices are given, or lent for good, to a person, a household or a school."""

    TYPE: ClassVar[str] = "device.given"
    VERSION: ClassVar[str] = "1"

    kind: DeviceKind
    number: int | None = None
    person: Person | None = None
    household: Household | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    giver: str | None = _field(default=None, repr=False)
    given_on: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalIdentityActivated(EventData):
    """A citizen has an activated electronic identity."""

    TYPE: ClassVar[str] = "digital_identity.activated"
    VERSION: ClassVar[str] = "2"

    person: Person
    age: int | None = None
    level: IdentityLevel | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    activated_on: dt.date | None = None
    to: dt.date | None = None
    turns_16_on: dt.date | None = None
    birth_year: int | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosurePublished(EventData):
    """The province opens the figures of a plan to everybody, or closes them."""

    TYPE: ClassVar[str] = "disclosure.published"
    VERSION: ClassVar[str] = "1"

    plan: str
    public: bool
    valid_from: dt.date
    document_ref: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentIssued(EventData):
    """A unit issues its own plan, emulation plan or guideline."""

    TYPE: ClassVar[str] = "document.issued"
    VERSION: ClassVar[str] = "1"

    organisation: Organisation | None = None
    kind: DocumentKind
    number: str | None = _field(default=None, repr=False)
    date: dt.date | None = None
    parent_plan: str | None = None
    url: str | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRegistered(EventData):
    """An organisation or household business registers a domain."""

    TYPE: ClassVar[str] = "domain.registered"
    VERSION: ClassVar[str] = "1"

    organisation: Organisation
    kind: OrganisationKind
    tld: Tld
    domain: str | None = _field(default=None, repr=False)
    registered_on: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseEnrolled(EventData):
    """An enterprise or cooperative starts online learning for its workers."""

    TYPE: ClassVar[str] = "enterprise.enrolled"
    VERSION: ClassVar[str] = "1"

    organisation: Organisation
    kind: OrganisationKind | None = None
    workers_total: int | None = None
    workers_enrolled: int | None = None
    platform: Platform | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCorrected(EventData):
    """An event is corrected."""

    TYPE: ClassVar[str] = "event.corrected"
    VERSION: ClassVar[str] = "1"

    corrects: EventKey
    changes: Changes
    reason: str = _field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRevoked(EventData):
    """An event was never true."""

    TYPE: ClassVar[str] = "event.revoked"
    VERSION: ClassVar[str] = "1"

    revokes: EventKey
    reason: str = _field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackReceived(EventData):
    """Feedback of residents is received."""

    TYPE: ClassVar[str] = "feedback.received"
    VERSION: ClassVar[str] = "2"

    feedback_ref: str | None = _field(default=None, repr=False)
    channel: FeedbackChannel
    topic: Topic | None = None
    text: str | None = _field(default=None, repr=False)
    status: IssueStatus | None = None
    answer_by: dt.date | None = None
    answered_on: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FestivalHeld(EventData):
    """The People's Digital Learning Festival is held."""

    TYPE: ClassVar[str] = "festival.held"
    VERSION: ClassVar[str] = "2"

    held_on: dt.date | None = None
    participants: int | None = None
    channel: PresenceChannel | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureReported(EventData):
    """An authority reports a total for an objective."""

    TYPE: ClassVar[str] = "figure.reported"
    VERSION: ClassVar[str] = "1"

    objective: str
    plan: str | None = None
    as_of: dt.date
    number: int
    authority: str = _field(repr=False)
    source_ref: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceDispatched(EventData):
    """A team is sent to a commune or hamlet."""

    TYPE: ClassVar[str] = "force.dispatched"
    VERSION: ClassVar[str] = "1"

    from_: dt.date | None = None
    to: dt.date | None = None
    team: str | None = _field(default=None, repr=False)
    members: int | None = None
    reason: DispatchReason
    review_ref: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceSessionHeld(EventData):
    """A guidance or community learning session for residents is held."""

    TYPE: ClassVar[str] = "guidance_session.held"
    VERSION: ClassVar[str] = "1"

    kind: SessionKind
    session_ref: str | None = _field(default=None, repr=False)
    topics: list[Topic] | tuple[Topic, ...] | None = None
    participants: int | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    channel: PresenceChannel | None = None
    language: Language | None = None
    team: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdMemberQualified(EventData):
    """A household has a member with digital skills who guides the family."""

    TYPE: ClassVar[str] = "household.member_qualified"
    VERSION: ClassVar[str] = "1"

    household: Household
    person: Person | None = None
    basis: SkillBasis | None = None
    level: SkillLevel | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionHeld(EventData):
    """Inspection, monitoring or social supervision takes place."""

    TYPE: ClassVar[str] = "inspection.held"
    VERSION: ClassVar[str] = "3"

    inspection_ref: str | None = _field(default=None, repr=False)
    follows: str | None = _field(default=None, repr=False)
    inspector: str | None = _field(default=None, repr=False)
    findings: str | None = _field(default=None, repr=False)
    remedy: str | None = _field(default=None, repr=False)
    remedy_by: dt.date | None = None
    remedied: bool | None = None
    document_ref: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRaised(EventData):
    """An obstacle or proposal is raised."""

    TYPE: ClassVar[str] = "issue.raised"
    VERSION: ClassVar[str] = "1"

    issue_ref: str | None = _field(default=None, repr=False)
    kind: IssueKind | None = None
    to_unit: str | None = _field(default=None, repr=False)
    text: str = _field(repr=False)
    status: IssueStatus | None = None
    resolved_on: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAttended(EventData):
    """A unit takes part in the launch."""

    TYPE: ClassVar[str] = "launch.attended"
    VERSION: ClassVar[str] = "2"

    launch_ref: str | None = _field(default=None, repr=False)
    channel: PresenceChannel
    participants: int | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchHeld(EventData):
    """A launch ceremony, programme or Week is held."""

    TYPE: ClassVar[str] = "launch.held"
    VERSION: ClassVar[str] = "1"

    launch_ref: str | None = _field(default=None, repr=False)
    kind: LaunchKind
    level: UnitLevel | None = None
    held_on: dt.date | None = None
    place: str | None = _field(default=None, repr=False)
    participants: int | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExtended(EventData):
    """An instance adds words to a list that event types share."""

    TYPE: ClassVar[str] = "list.extended"
    VERSION: ClassVar[str] = "1"

    list_name: GrowingList
    entries: list[ListEntry] | tuple[ListEntry, ...]
    source_ref: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOpened(EventData):
    """A digital market, shop or street without cash is opened."""

    TYPE: ClassVar[str] = "market.opened"
    VERSION: ClassVar[str] = "1"

    place_ref: str = _field(repr=False)
    kind: MarketKind
    name: str | None = _field(default=None, repr=False)
    stalls: int | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialPublished(EventData):
    """Guidance material is published on a portal or social network."""

    TYPE: ClassVar[str] = "material.published"
    VERSION: ClassVar[str] = "1"

    material_id: str | None = None
    version: str | None = _field(default=None, repr=False)
    channel: MediaChannel
    url: str | None = None
    language: Language | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MentorAssigned(EventData):
    """A mentee is assigned to a mentor."""

    TYPE: ClassVar[str] = "mentor.assigned"
    VERSION: ClassVar[str] = "1"

    mentor: Person
    mentee: Person
    mentor_role: MentorRole | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProposed(EventData):
    """A unit proposes an exemplary model."""

    TYPE: ClassVar[str] = "model.proposed"
    VERSION: ClassVar[str] = "1"

    model_ref: str = _field(repr=False)
    kind: ModelKind
    evidence: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecognised(EventData):
    """A model is appraised and recognised."""

    TYPE: ClassVar[str] = "model.recognised"
    VERSION: ClassVar[str] = "1"

    model_ref: str = _field(repr=False)
    kind: ModelKind
    decision_no: str | None = _field(default=None, repr=False)
    recognised_on: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NilReported(EventData):
    """A unit confirms that nothing happened in a period."""

    TYPE: ClassVar[str] = "nil.reported"
    VERSION: ClassVar[str] = "1"

    event_type: str
    from_: dt.date
    to: dt.date
    plan: str | None = None
    objective: str | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutreachDelivered(EventData):
    """A person, a household or a batch of subscribers is reached."""

    TYPE: ClassVar[str] = "outreach.delivered"
    VERSION: ClassVar[str] = "1"

    person: Person | None = None
    household: Household | None = None
    recipients: int | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    channel: OutreachChannel
    topic: Topic | None = None
    language: Language | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAdopted(EventData):
    """A person or a household pays, or is paid, electronically."""

    TYPE: ClassVar[str] = "payment.adopted"
    VERSION: ClassVar[str] = "1"

    person: Person | None = None
    household: Household | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    means: PaymentMeans
    purposes: list[PaymentPurpose] | tuple[PaymentPurpose, ...] | None = None
    age: int | None = None
    adopted_on: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLinked(EventData):
    """Two references are of the same person."""

    TYPE: ClassVar[str] = "person.linked"
    VERSION: ClassVar[str] = "1"

    person: Person
    same_as: Person
    reason: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAmended(EventData):
    """A target, deadline or duty of a plan changes."""

    TYPE: ClassVar[str] = "plan.amended"
    VERSION: ClassVar[str] = "2"

    plan: str
    objective: str | None = None
    task: str | None = None
    obligation: str | None = None
    organisation: str | None = None
    action: Literal["change", "add", "end"] | None = None
    for_unit: str | None = None
    changes: dict[str, Any] | None = _field(default=None, repr=False)
    old_values: dict[str, Any] | None = _field(default=None, repr=False)
    valid_from: dt.date
    document_ref: str | None = _field(default=None, repr=False)
    reason: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPublished(EventData):
    """A plan is published, whole."""

    TYPE: ClassVar[str] = "plan.published"
    VERSION: ClassVar[str] = "1"

    plan: str
    version: int
    document: dict[str, Any] = _field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationDeclared(EventData):
    """An authority declares a denominator of a unit."""

    TYPE: ClassVar[str] = "population.declared"
    VERSION: ClassVar[str] = "1"

    population: Population
    number: int
    as_of: dt.date
    authority: str = _field(repr=False)
    source_ref: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPublished(EventData):
    """A news item, article or short video is published."""

    TYPE: ClassVar[str] = "post.published"
    VERSION: ClassVar[str] = "1"

    kind: PostKind
    channel: MediaChannel
    url: str
    language: Language | None = None
    topic: Topic | None = None
    published_on: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeCompleted(EventData):
    """A school reports completion of the digital-skills programme."""

    TYPE: ClassVar[str] = "programme.completed"
    VERSION: ClassVar[str] = "1"

    school: str = _field(repr=False)
    school_level: SchoolLevel | None = None
    grade: str | None = _field(default=None, repr=False)
    programme: str | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    pupils_total: int | None = None
    pupils_completed: int
    period: str | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingPublished(EventData):
    """The province publishes, changes or withdraws the formula of a ranking."""

    TYPE: ClassVar[str] = "ranking.published"
    VERSION: ClassVar[str] = "1"

    plan: str
    valid_from: dt.date
    terms: list[dict[str, Any]] | tuple[dict[str, Any], ...]
    document_ref: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConsolidated(EventData):
    """A department consolidates and forwards reports."""

    TYPE: ClassVar[str] = "report.consolidated"
    VERSION: ClassVar[str] = "3"

    from_unit: str | None = _field(default=None, repr=False)
    to_unit: str | None = _field(default=None, repr=False)
    via: str | None = _field(default=None, repr=False)
    plan: str | None = None
    obligation: str | None = None
    period: str | None = None
    sources: list[str] | tuple[str, ...] | None = _field(default=None, repr=False)
    document_ref: str | None = _field(default=None, repr=False)
    submitted_at: dt.datetime | None = None
    figures: dict[str, Any] | None = _field(default=None, repr=False)
    document_date: dt.date | None = None
    file_name: str | None = _field(default=None, repr=False)
    file_sha256: str | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgressed(EventData):
    """A body takes a step with the report it is writing."""

    TYPE: ClassVar[str] = "report.progressed"
    VERSION: ClassVar[str] = "1"

    plan: str
    obligation: str
    period: str
    organisation: str | None = None
    step: ReportStep
    by: str | None = _field(default=None, repr=False)
    edits: dict[str, Any] | None = _field(default=None, repr=False)
    remark: str | None = _field(default=None, repr=False)
    as_of: dt.date | None = None
    known_at: dt.date | None = None
    known_to: int | None = None
    document_ref: str | None = _field(default=None, repr=False)
    document_date: dt.date | None = None
    file_name: str | None = _field(default=None, repr=False)
    file_sha256: str | None = None
    appendix_sha256: str | None = None
    figures_sha256: str | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequested(EventData):
    """A superior asks for a report outside the usual rhythm."""

    TYPE: ClassVar[str] = "report.requested"
    VERSION: ClassVar[str] = "1"

    plan: str
    obligation: str
    request_ref: str = _field(repr=False)
    requested_by: str | None = _field(default=None, repr=False)
    who: list[str] | tuple[str, ...] | None = None
    subject_matter: str | None = _field(default=None, repr=False)
    last_day: dt.date
    document_ref: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReturned(EventData):
    """A superior sends a report back with a remark."""

    TYPE: ClassVar[str] = "report.returned"
    VERSION: ClassVar[str] = "1"

    plan: str
    obligation: str
    period: str
    organisation: str | None = None
    remark: str = _field(repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSubmitted(EventData):
    """A unit submits a report."""

    TYPE: ClassVar[str] = "report.submitted"
    VERSION: ClassVar[str] = "3"

    from_unit: str | None = _field(default=None, repr=False)
    to_unit: str | None = _field(default=None, repr=False)
    via: str | None = _field(default=None, repr=False)
    plan: str | None = None
    obligation: str | None = None
    period: str | None = None
    submitted_at: dt.datetime | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    people_total: int | None = None
    people_completed: int | None = None
    figures: dict[str, Any] | None = _field(default=None, repr=False)
    difficulties: str | None = _field(default=None, repr=False)
    document_ref: str | None = _field(default=None, repr=False)
    document_date: dt.date | None = None
    file_name: str | None = _field(default=None, repr=False)
    file_sha256: str | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewClosed(EventData):
    """The weekly review of a plan is closed."""

    TYPE: ClassVar[str] = "review.closed"
    VERSION: ClassVar[str] = "1"

    plan: str
    from_: dt.date
    to: dt.date
    remark: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewHeld(EventData):
    """A review meeting is held."""

    TYPE: ClassVar[str] = "review.held"
    VERSION: ClassVar[str] = "1"

    kind: ReviewKind
    data_as_of: dt.date | None = None
    cold_spots: list[str] | tuple[str, ...] | None = None
    decisions: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftHeld(EventData):
    """Volunteers stand a shift at a service centre or another place that helps residents."""

    TYPE: ClassVar[str] = "shift.held"
    VERSION: ClassVar[str] = "1"

    volunteers: int
    helped: int | None = None
    centre: str | None = _field(default=None, repr=False)
    squad_ref: str | None = _field(default=None, repr=False)
    hours: float | None = None
    held_on: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRegistered(EventData):
    """A person registers a digital signature."""

    TYPE: ClassVar[str] = "signature.registered"
    VERSION: ClassVar[str] = "2"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    age: int | None = None
    channel: SignatureChannel
    provider: str | None = _field(default=None, repr=False)
    registered_on: dt.date | None = None
    to: dt.date | None = None
    turns_16_on: dt.date | None = None
    birth_year: int | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureUsed(EventData):
    """A person uses a digital signature, or a service reports its signed transactions."""

    TYPE: ClassVar[str] = "signature.used"
    VERSION: ClassVar[str] = "1"

    person: Person | None = None
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...] | None = None
    service: str
    signed_on: dt.date | None = None
    transactions_total: int | None = None
    transactions_signed: int | None = None
    period_start: dt.date | None = None
    period_end: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillConfirmed(EventData):
    """A responsible person or a platform confirms that a person can do something."""

    TYPE: ClassVar[str] = "skill.confirmed"
    VERSION: ClassVar[str] = "1"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    topic: Topic | None = None
    level: SkillLevel | None = None
    basis: SkillBasis | None = None
    confirmed_by: str | None = _field(default=None, repr=False)
    age: int | None = None
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SquadEstablished(EventData):
    """A squad of volunteers is set up."""

    TYPE: ClassVar[str] = "squad.established"
    VERSION: ClassVar[str] = "1"

    squad_ref: str = _field(repr=False)
    name: str | None = _field(default=None, repr=False)
    decision_no: str | None = _field(default=None, repr=False)
    members: int | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAssigned(EventData):
    """A person is assigned to help residents, or seconded."""

    TYPE: ClassVar[str] = "staff.assigned"
    VERSION: ClassVar[str] = "1"

    person: Person
    role: StaffRole
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProgressed(EventData):
    """The body that leads a task says how far it has come."""

    TYPE: ClassVar[str] = "task.progressed"
    VERSION: ClassVar[str] = "1"

    plan: str
    task: str
    organisation: str | None = None
    occurrence: str | None = None
    status: TaskStatus
    percent: int | None = None
    done: str | None = _field(default=None, repr=False)
    product: str | None = _field(default=None, repr=False)
    document_ref: str | None = _field(default=None, repr=False)
    document_date: dt.date | None = None
    file_sha256: str | None = None
    difficulties: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReturned(EventData):
    """A supervisor sends a statement on a task back."""

    TYPE: ClassVar[str] = "task.returned"
    VERSION: ClassVar[str] = "1"

    plan: str
    task: str
    organisation: str | None = None
    occurrence: str | None = None
    reason: str = _field(repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamEstablished(EventData):
    """A community digital technology team is set up."""

    TYPE: ClassVar[str] = "team.established"
    VERSION: ClassVar[str] = "2"

    team_ref: str | None = _field(default=None, repr=False)
    name: str | None = _field(default=None, repr=False)
    decision_no: str | None = _field(default=None, repr=False)
    members: int | None = None
    from_: dt.date | None = None
    to: dt.date | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamReinforced(EventData):
    """Additional people join a team."""

    TYPE: ClassVar[str] = "team.reinforced"
    VERSION: ClassVar[str] = "1"

    team_ref: str | None = _field(default=None, repr=False)
    members_before: int | None = None
    members_added: int
    from_organisation: str | None = _field(default=None, repr=False)
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAttended(EventData):
    """A person attends a class, training or guidance session."""

    TYPE: ClassVar[str] = "training.attended"
    VERSION: ClassVar[str] = "1"

    person: Person
    target_groups: list[TargetGroup] | tuple[TargetGroup, ...]
    topics: list[Topic] | tuple[Topic, ...] | None = None
    programme: str | None = None
    class_ref: str | None = _field(default=None, repr=False)
    session_ref: str | None = _field(default=None, repr=False)
    sessions_attended: int | None = None
    channel: LearningChannel | None = None
    school_level: SchoolLevel | None = None
    age: int | None = None
    organisation: Organisation | None = None
    campaign: str | None = None
    plan_hint: str | None = None
    evidence_ref: str | None = _field(default=None, repr=False)
    opening: bool | None = None
    note: str | None = _field(default=None, repr=False)
    reporter: str | None = _field(default=None, repr=False)
    reporter_kind: ReporterKind | None = None
    held_by: Holder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAttributed(EventData):
    """A unit has, or loses, an attribute from a day on."""

    TYPE: ClassVar[str] = "unit.attributed"
    VERSION: ClassVar[str] = "1"

    unit_id: str
    attribute: UnitAttribute
    value: bool
    from_: dt.date
    source_ref: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDissolved(EventData):
    """A unit ends; its successors."""

    TYPE: ClassVar[str] = "unit.dissolved"
    VERSION: ClassVar[str] = "1"

    unit_id: str
    dissolved_on: dt.date
    successors: list[UnitShare] | tuple[UnitShare, ...]
    source_ref: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEstablished(EventData):
    """A unit begins to exist."""

    TYPE: ClassVar[str] = "unit.established"
    VERSION: ClassVar[str] = "1"

    unit_id: str
    code: str
    era: Era
    name_vi: str = _field(repr=False)
    name_en: str | None = _field(default=None, repr=False)
    kind: UnitKind
    parent: str | None = None
    from_: dt.date
    organisation_kind: OrganisationKind | None = None
    attributes: list[UnitAttribute] | tuple[UnitAttribute, ...] | None = None
    predecessors: list[UnitShare] | tuple[UnitShare, ...] | None = None
    area_km2: float | None = None
    lat: float | None = None
    lon: float | None = None
    source_ref: str | None = _field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRenamed(EventData):
    """A unit changes its name or kind; its unit_id stays."""

    TYPE: ClassVar[str] = "unit.renamed"
    VERSION: ClassVar[str] = "1"

    unit_id: str
    name_vi: str | None = _field(default=None, repr=False)
    name_en: str | None = _field(default=None, repr=False)
    kind: UnitKind | None = None
    from_: dt.date
    source_ref: str | None = _field(default=None, repr=False)


TYPES: dict[str, type[EventData]] = {
    "activity.held": ActivityHeld,
    "agreement.signed": AgreementSigned,
    "app.installed": AppInstalled,
    "assessment.passed": AssessmentPassed,
    "assistance.given": AssistanceGiven,
    "assistance.requested": AssistanceRequested,
    "award.granted": AwardGranted,
    "central_document.issued": CentralDocumentIssued,
    "certificate.issued": CertificateIssued,
    "chat_group.opened": ChatGroupOpened,
    "citizen.certified": CitizenCertified,
    "class.held": ClassHeld,
    "class_point.opened": ClassPointOpened,
    "column.opened": ColumnOpened,
    "committee.established": CommitteeEstablished,
    "conference.held": ConferenceHeld,
    "contest.entered": ContestEntered,
    "contest.held": ContestHeld,
    "contest.promoted": ContestPromoted,
    "course.completed": CourseCompleted,
    "course.registered": CourseRegistered,
    "coverage_gap.closed": CoverageGapClosed,
    "coverage_gap.recorded": CoverageGapRecorded,
    "decision.followed": DecisionFollowed,
    "device.given": DeviceGiven,
    "digital_identity.activated": DigitalIdentityActivated,
    "disclosure.published": DisclosurePublished,
    "document.issued": DocumentIssued,
    "domain.registered": DomainRegistered,
    "enterprise.enrolled": EnterpriseEnrolled,
    "event.corrected": EventCorrected,
    "event.revoked": EventRevoked,
    "feedback.received": FeedbackReceived,
    "festival.held": FestivalHeld,
    "figure.reported": FigureReported,
    "force.dispatched": ForceDispatched,
    "guidance_session.held": GuidanceSessionHeld,
    "household.member_qualified": HouseholdMemberQualified,
    "inspection.held": InspectionHeld,
    "issue.raised": IssueRaised,
    "launch.attended": LaunchAttended,
    "launch.held": LaunchHeld,
    "list.extended": ListExtended,
    "market.opened": MarketOpened,
    "material.published": MaterialPublished,
    "mentor.assigned": MentorAssigned,
    "model.proposed": ModelProposed,
    "model.recognised": ModelRecognised,
    "nil.reported": NilReported,
    "outreach.delivered": OutreachDelivered,
    "payment.adopted": PaymentAdopted,
    "person.linked": PersonLinked,
    "plan.amended": PlanAmended,
    "plan.published": PlanPublished,
    "population.declared": PopulationDeclared,
    "post.published": PostPublished,
    "programme.completed": ProgrammeCompleted,
    "ranking.published": RankingPublished,
    "report.consolidated": ReportConsolidated,
    "report.progressed": ReportProgressed,
    "report.requested": ReportRequested,
    "report.returned": ReportReturned,
    "report.submitted": ReportSubmitted,
    "review.closed": ReviewClosed,
    "review.held": ReviewHeld,
    "shift.held": ShiftHeld,
    "signature.registered": SignatureRegistered,
    "signature.used": SignatureUsed,
    "skill.confirmed": SkillConfirmed,
    "squad.established": SquadEstablished,
    "staff.assigned": StaffAssigned,
    "task.progressed": TaskProgressed,
    "task.returned": TaskReturned,
    "team.established": TeamEstablished,
    "team.reinforced": TeamReinforced,
    "training.attended": TrainingAttended,
    "unit.attributed": UnitAttributed,
    "unit.dissolved": UnitDissolved,
    "unit.established": UnitEstablished,
    "unit.renamed": UnitRenamed,
}
"""The class of each event type."""
