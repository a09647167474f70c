"""A real issuer on this machine: discovery, a JWK set, keys that it rotates, tokens of any kind."""

import asyncio
import json
from typing import Any

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.clock import Clock

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)
EC = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.generate()
AUDIENCE = "https://hocvuso.example"


def jwk(key: Any, kid: str | None, **more: Any) -> dict[str, Any]:
    """The public half of a key as an entry of a JWK set."""
    algorithm: Any = {
        rsa.RSAPrivateKey: RSAAlgorithm,
        ec.EllipticCurvePrivateKey: ECAlgorithm,
        ed25519.Ed25519PrivateKey: OKPAlgorithm,
    }[next(k for k in (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
           if isinstance(key, k))]  # fmt: skip
    entry: dict[str, Any] = json.loads(algorithm.to_jwk(key.public_key()))
    return entry | ({"kid": kid} if kid else {}) | more


class Issuer:
    """Serves what it is told to; `asked` counts requests by path."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.keys: list[dict[str, Any]] = [jwk(RSA, "one")]
        self.about: dict[str, Any] = {}
        self.answer: Response | None = None
        self.asked: dict[str, int] = {}
        self.address = ""

    async def __aenter__(self) -> "Issuer":
        app = Starlette(
            routes=[
                Route("/realm/.well-known/openid-configuration", self._discovery),
                Route("/realm/keys", self._keys),
            ]
        )
        config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical", log_config=None)
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/realm"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._task

    async def _discovery(self, request: Request) -> Response:
        document = {"issuer": self.address, "jwks_uri": f"{self.address}/keys", **self.about}
        return self._serve(request, document)

    async def _keys(self, request: Request) -> Response:
        return self._serve(request, {"keys": self.keys})

    def _serve(self, request: Request, document: Any) -> Response:
        name = request.url.path.rsplit("/", 1)[1]
        self.asked[name] = self.asked.get(name, 0) + 1
        return self.answer or Response(json.dumps(document), media_type="application/json")

    def token(
        self,
        key: Any = RSA,
        *,
        algorithm: str = "RS256",
        kid: str | None = "one",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """An access token of the client credentials grant; a claim of None is left out."""
        now = int(self.clock.now().timestamp())
        made = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": "service-account-vnpt",
            "client_id": "vnpt",
            "iat": now,
            "exp": now + 300,
            **claims,
        }
        return jwt.encode(
            {name: value for name, value in made.items() if value is not None},
            key,
            algorithm=algorithm,
            headers={"typ": "at+jwt", **({"kid": kid} if kid else {}), **(header or {})},
        )
