"""Scopes: what a credential opens, whatever its roles, types and units allow beyond."""

from typing import Final

WRITE: Final = "events:write"
STREAM: Final = "events:stream"
XAPI: Final = "xapi:write"
REPLAY: Final = "quarantine:replay"
INVITE: Final = "staff:invite"
READ: Final = "tables:read"
"""Tables, plans, units and pages of registry, and cells of metrics; within the subtree."""

READ_LOG: Final = "log:read"
READ_METRICS: Final = "metrics:read"

SERVICE_SCOPES = (READ_LOG, READ_METRICS)
"""For the services alone: `migrate` makes their keys, and no address gives these scopes."""

GIVEN_SCOPES = (WRITE, STREAM, XAPI, REPLAY, INVITE, READ)
SCOPES = (*GIVEN_SCOPES, *SERVICE_SCOPES)
