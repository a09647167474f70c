"""Registry's routes and pages under what foreign clients send."""

from tests import foreign
from tests.registry.conftest import Running
from tests.registry.routes import VALUES


async def test_no_body_is_answered_by_a_5xx(registry: Running) -> None:
    assert await foreign.bad_bodies(registry.app, registry.client, VALUES) == []


async def test_no_parameter_is_answered_by_a_5xx(registry: Running) -> None:
    assert await foreign.bad_parameters(registry.app, registry.client, VALUES) == []


async def test_no_credential_is_answered_by_a_5xx(registry: Running) -> None:
    assert await foreign.bad_credentials(registry.app, registry.client, VALUES) == []


async def test_head_and_allow(registry: Running) -> None:
    assert await foreign.unlike_heads(registry.app, registry.client, VALUES) == []
