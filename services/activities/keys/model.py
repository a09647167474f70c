"""A key and what it may do; what scopes there are."""

from shared.auth.principal import ADMINISTRATOR as ADMINISTRATOR
from shared.auth.principal import Principal as Key
from shared.auth.scopes import GIVEN_SCOPES as GIVEN_SCOPES
from shared.auth.scopes import INVITE as INVITE
from shared.auth.scopes import READ as READ
from shared.auth.scopes import READ_LOG as READ_LOG
from shared.auth.scopes import READ_METRICS as READ_METRICS
from shared.auth.scopes import REPLAY as REPLAY
from shared.auth.scopes import SCOPES as SCOPES
from shared.auth.scopes import STREAM as STREAM
from shared.auth.scopes import WRITE as WRITE
from shared.auth.scopes import XAPI as XAPI

__all__ = ["Key"]
