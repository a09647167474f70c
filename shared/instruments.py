"""Every metric that hocvuso has: name, unit, meaning, attributes. docs/metrics.md is made of this.

HTTP, messaging, database and process metrics have the names of OpenTelemetry's semantic
conventions; the others begin with `hocvuso.`. Attributes are few and bounded: routes, event types,
partners' names, lanes' groups. Never a source, an id or anything that a partner wrote.
"""

import asyncpg
import psutil

from shared.measuring import Measurements

MEASUREMENTS = Measurements("hocvuso")
_counter, _gauge, _histogram = (
    MEASUREMENTS.counter,
    MEASUREMENTS.gauge,
    MEASUREMENTS.histogram,
)
_up_down = MEASUREMENTS.up_down

FRESH = 30.0
"""Seconds after which a value that was read from a database counts as unknown."""
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 4_000, 8_000)

LANE_GROUPS = 8
"""Fact lanes are watched in this many groups (lane modulo 8, as the topic's 8 partitions)."""

# -- HTTP: every service ------------------------------------------------------------------------
HTTP_DURATION = _histogram(
    "http.server.request.duration", "s", "Duration of HTTP requests, by route.",
    "http.request.method", "url.scheme", "http.route", "http.response.status_code", "error.type",
    bounds=FAST,
)  # fmt: skip
HTTP_ACTIVE = _up_down(
    "http.server.active_requests", "{request}", "Requests being answered now.",
    "http.request.method", "url.scheme",
)  # fmt: skip

# -- the front door: activities -----------------------------------------------------------------
EVENTS = _counter(
    "hocvuso.events", "{event}",
    "Events answered. outcome: accepted, duplicate, rejected; path: rest, stream, kafka, xapi,"
    " replay; partner: the key's name; type: the event's short type, `unknown` where it was"
    " refused before its type was known.",
    "hocvuso.outcome", "hocvuso.path", "hocvuso.partner", "hocvuso.type",
)  # fmt: skip
REFUSALS = _counter(
    "hocvuso.refusals", "{event}", "Events refused, by the code of the problem (docs/errors.md).",
    "hocvuso.code",
)  # fmt: skip
APPEND_DURATION = _histogram(
    "hocvuso.append.duration", "s", "Duration of one group commit to the log.", bounds=FAST
)
APPEND_EVENTS = _histogram(
    "hocvuso.append.events", "{event}", "Events of one group commit.", bounds=SIZES
)
APPEND_FAILURES = _counter(
    "hocvuso.append.failures", "{submission}", "Requests answered with 503: the log was not there."
)
APPEND_WAITING = _gauge(
    "hocvuso.append.waiting", "{event}", "Events that wait for a group commit in this process."
)
LOG_POSITION = _gauge("hocvuso.log.position", "{position}", "The log's last position.", fresh=FRESH)

RECORDED_AHEAD = _gauge(
    "hocvuso.recorded.ahead", "{day}",
    "Days by which the day of recording is ahead of today: more than 0 after the clock was.",
    fresh=FRESH,
)  # fmt: skip
OLDEST_TRANSACTION = _gauge(
    "hocvuso.database.transaction.age", "s",
    "Age of the oldest open transaction in the log's database, as far as activities may see them.",
    fresh=FRESH,
)  # fmt: skip
DEAD_ROWS = _gauge(
    "hocvuso.database.dead.rows", "{row}",
    "Rows that nobody sees any more in the table of the log's database that has most of them,"
    " of those where they are the majority.",
    fresh=FRESH,
)  # fmt: skip
OLD_TRANSACTION_SECONDS = 3600
DEAD_ROWS_LIMIT = 100_000

QUARANTINE = _gauge(
    "hocvuso.quarantine.events", "{event}", "Refused events that are kept for a partner.",
    "hocvuso.partner", fresh=FRESH,
)  # fmt: skip
QUARANTINE_FILL = _gauge(
    "hocvuso.quarantine.fill", "1",
    "Share of a partner's quarantine that is used; at 1 the oldest make room for the newest.",
    "hocvuso.partner", fresh=FRESH,
)  # fmt: skip

# -- the relay ------------------------------------------------------------------------------------
RELAY_POSITION = _gauge(
    "hocvuso.relay.position", "{position}", "Position up to which the log is in Kafka.",
    fresh=FRESH,
)  # fmt: skip
RELAY_LAG = _gauge(
    "hocvuso.relay.lag", "{position}", "Positions of the log that are not in Kafka yet.",
    fresh=FRESH,
)  # fmt: skip
RELAY_DELAY = _gauge(
    "hocvuso.relay.delay", "s", "Age of the oldest row that is not in Kafka yet; 0: there is none.",
    fresh=FRESH,
)  # fmt: skip
RELAY_LEADERS = _gauge(
    "hocvuso.relay.leaders", "{process}", "Relays that hold the leader's lock: 1 when well.",
    fresh=FRESH,
)  # fmt: skip
RELAY_HEARTBEAT = _gauge(
    "hocvuso.relay.heartbeat.age", "s",
    "Since this relay, if it leads, last had a message acknowledged by the broker.",
)  # fmt: skip
SEND_DURATION = _histogram(
    "messaging.client.operation.duration", "s", "Duration of sending one batch to Kafka.",
    "messaging.system", "messaging.operation.name", "messaging.destination.name", "error.type",
    bounds=FAST,
)  # fmt: skip
SENT = _counter(
    "messaging.client.sent.messages", "{message}", "Messages that the broker has acknowledged.",
    "messaging.system", "messaging.operation.name", "messaging.destination.name",
)  # fmt: skip

# -- the intake: Kafka topics of partners --------------------------------------------------------
INTAKE_LAG = _gauge(
    "hocvuso.intake.lag", "{message}", "Messages of a partner's intake topic that are not read.",
    "hocvuso.partner", fresh=FRESH,
)  # fmt: skip
INTAKE_DELAY = _gauge(
    "hocvuso.intake.delay", "s", "Age of the oldest message that is not read; 0: there is none.",
    "hocvuso.partner", fresh=FRESH,
)  # fmt: skip
INTAKE_TROUBLES = _gauge(
    "hocvuso.intake.troubles", "{trouble}",
    "What went wrong with a partner's topic (lost messages, recreated, compacted ...) and nobody"
    " has acknowledged.",
    "hocvuso.partner", fresh=FRESH,
)  # fmt: skip
INTAKE_RECEIPTS = _gauge(
    "hocvuso.intake.receipts", "{receipt}", "Answers that wait for a partner's receipts topic.",
    "hocvuso.partner", fresh=FRESH,
)  # fmt: skip
INTAKE_READ = _gauge(
    "hocvuso.intake.reading", "{partner}",
    "1: a partner's topic is read; 0: nobody reads it, or the reader waits.",
    "hocvuso.partner", fresh=FRESH,
)  # fmt: skip

# -- the projection: worker and API of metrics --------------------------------------------------
PROCESS_DURATION = _histogram(
    "messaging.process.duration", "s", "Duration of counting one batch of the log.",
    "messaging.system", "messaging.operation.name", "messaging.destination.name", "error.type",
    bounds=FAST,
)  # fmt: skip
PROJECTED = _counter(
    "hocvuso.projection.rows", "{row}", "Rows of the log that were counted. origin: bus, log.",
    "hocvuso.origin",
)  # fmt: skip
HEALED = _counter(
    "hocvuso.projection.healed", "{lane}",
    "Lanes with a hole on the bus that were read from the log instead.",
)  # fmt: skip
PROJECTION_POSITION = _gauge(
    "hocvuso.projection.position", "{position}",
    "Position up to which a group of lanes is counted. The smallest is the watermark.",
    "hocvuso.lane_group", fresh=FRESH,
)  # fmt: skip
PROJECTION_LAG = _gauge(
    "hocvuso.projection.lag", "{position}",
    "From the first row of a group of lanes that is not counted to the log's end; 0: all counted.",
    "hocvuso.lane_group", fresh=FRESH,
)  # fmt: skip
PROJECTION_DELAY = _gauge(
    "hocvuso.projection.delay", "s",
    "How long a row of a group of lanes has been seen in the log and not counted (seen every 5 s).",
    "hocvuso.lane_group", fresh=FRESH,
)  # fmt: skip
WORKERS = _gauge(
    "hocvuso.projection.workers", "{process}", "Workers that were heard of within 10 seconds.",
    fresh=FRESH,
)  # fmt: skip
HEARTBEAT_AGE = _gauge(
    "hocvuso.projection.heartbeat.age", "s",
    "Since the most silent of the living workers was heard of: high while counting is stuck,"
    " whether or not anything waits.",
    fresh=FRESH,
)  # fmt: skip
PARKED_ROWS = _gauge("hocvuso.parked.rows", "{row}", "Rows that wait for a person.", fresh=FRESH)
PARKED_SUBJECTS = _gauge(
    "hocvuso.parked.subjects", "{subject}", "Subjects that wait for a person.", fresh=FRESH
)
REFRESH_POSITION = _gauge(
    "hocvuso.refresh.position", "{position}", "Position up to which the tables are complete.",
    fresh=FRESH,
)  # fmt: skip
REFRESH_AGE = _gauge(
    "hocvuso.refresh.age", "s",
    "How long the tables have been behind what is counted; 0: they are current.", fresh=FRESH,
)  # fmt: skip
REFRESH_DURATION = _histogram(
    "hocvuso.refresh.duration", "s", "Duration of a refresh that changed the tables.",
    "hocvuso.everything", bounds=FAST,
)  # fmt: skip
REFRESH_CELLS = _counter("hocvuso.refresh.cells", "{cell}", "Cells written by refreshes.")
REBUILD_PROGRESS = _gauge(
    "hocvuso.rebuild.progress", "1", "How far the rebuild of this process is; absent: none runs.",
    fresh=600,
)  # fmt: skip
MEASURES_BUILDING = _gauge(
    "hocvuso.rebuild.measures", "{measure}", "Measures that are not counted completely yet.",
    fresh=FRESH,
)  # fmt: skip
QUERY_DURATION = _histogram(
    "hocvuso.query.duration", "s",
    "Duration of reading a table. query: current (published cells), past (evaluated anew).",
    "hocvuso.query", bounds=FAST,
)  # fmt: skip

PLAN_OBJECTIVES = _gauge(
    "hocvuso.plan.objectives", "{objective}",
    "Objectives of a plan by their status at the plan's own unit.",
    "hocvuso.plan", "hocvuso.status", fresh=120,
)  # fmt: skip
PLAN_RATIO = _gauge(
    "hocvuso.plan.objective.ratio", "1",
    "Value by denominator of an objective at the plan's own unit, where it has a denominator.",
    "hocvuso.plan", "hocvuso.objective", fresh=120,
)  # fmt: skip
PLAN_CELLS = _gauge(
    "hocvuso.plan.cells", "{cell}", "Cells of a plan, all units, by status.",
    "hocvuso.plan", "hocvuso.status", fresh=120,
)  # fmt: skip

# -- every process --------------------------------------------------------------------------------
LOOK_FAILURES = _counter(
    "hocvuso.look.failures", "{look}",
    "Looks into a database or a service for these metrics that failed.", "hocvuso.look",
)  # fmt: skip
LOOK_OK = _gauge(
    "hocvuso.look.ok", "{look}", "1: the last look succeeded; 0: it failed.", "hocvuso.look"
)
POOL = _up_down(
    "db.client.connection.count", "{connection}", "Connections to PostgreSQL by state (idle, used).",
    "db.client.connection.pool.name", "db.client.connection.state",
)  # fmt: skip
POOL_MAX = _up_down(
    "db.client.connection.max", "{connection}", "Connections that may be open at once.",
    "db.client.connection.pool.name",
)  # fmt: skip
MEMORY = _up_down("process.memory.usage", "By", "Memory of the process that is in use (resident).")
CPU = _counter("process.cpu.time", "s", "Processor time that the process has used.")


def watch_pool(name: str, pool: asyncpg.Pool) -> None:
    """Measure a pool from now on (the newest of a name)."""

    def once() -> None:
        size, idle = pool.get_size(), pool.get_idle_size()
        POOL.set(size - idle, name, "used")
        POOL.set(idle, name, "idle")
        POOL_MAX.set(pool.get_max_size(), name)

    MEASUREMENTS.look(f"pool {name}", once)


def _process() -> None:
    used = psutil.Process()
    times = used.cpu_times()
    MEMORY.set(used.memory_info().rss)
    CPU.reached(times.user + times.system)


MEASUREMENTS.look("process", _process)


def lane_group(lane: int) -> str:
    """The group in which a lane is watched: `definitions`, or `facts-0` to `facts-7`."""
    return "definitions" if lane >= 64 else f"facts-{lane % LANE_GROUPS}"
