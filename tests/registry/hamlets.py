"""Hamlets of one commune."""

from tests.registry.pages import address as address

OURS = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
