"""Client of hocvuso: post events once, safely, and see that they were counted."""

from hocvuso_client.aclient import AsyncClient
from hocvuso_client.adirect import AsyncDirect
from hocvuso_client.answers import Counts, Result
from hocvuso_client.client import Client
from hocvuso_client.direct import Direct
from hocvuso_client.envelope import EventId
from hocvuso_client.errors import (
    BadAnswer,
    ClientClosed,
    Conflict,
    EventsRefused,
    Forbidden,
    HocvusoError,
    NotCounted,
    NotDelivered,
    NotFound,
    ProblemError,
    QueueFull,
    Refused,
    SpoolInUse,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreachable,
    WrongService,
)
from hocvuso_client.ids import content_id, deterministic_ids, random_id, uuid7
from hocvuso_client.options import VERSION
from hocvuso_client.receipts import Receipt
from hocvuso_client.streams import AnswersLost, StreamAnswer
from hocvuso_client.typed import (
    Device,
    EventData,
    Household,
    Organisation,
    Person,
    account,
    cccd,
    learner,
    phone,
    staff,
    student,
    vneid,
)

__version__ = VERSION
__all__ = [
    "AnswersLost",
    "AsyncClient",
    "AsyncDirect",
    "BadAnswer",
    "Client",
    "ClientClosed",
    "Conflict",
    "Counts",
    "Device",
    "Direct",
    "EventData",
    "EventId",
    "EventsRefused",
    "Forbidden",
    "HocvusoError",
    "Household",
    "NotCounted",
    "NotDelivered",
    "NotFound",
    "Organisation",
    "Person",
    "ProblemError",
    "QueueFull",
    "Receipt",
    "Refused",
    "Result",
    "SpoolInUse",
    "StreamAnswer",
    "Throttled",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "WrongService",
    "account",
    "cccd",
    "content_id",
    "deterministic_ids",
    "learner",
    "phone",
    "random_id",
    "staff",
    "student",
    "uuid7",
    "vneid",
]
