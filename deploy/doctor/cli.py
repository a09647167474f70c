"""The command `hocvuso doctor`."""

import asyncio
import json
import os
from typing import Annotated

import typer

from deploy.doctor.broker import check_broker
from deploy.doctor.databases import check_databases
from deploy.doctor.files import check_files
from deploy.doctor.flow import check_flow, check_services
from deploy.doctor.intake import check_intake
from deploy.doctor.keys import check_keys
from deploy.doctor.model import Finding, exit_code, lines
from deploy.doctor.network import check_network
from shared.settings import CommonSettings


async def examine() -> list[Finding]:
    """Look at everything that the environment names; posts nothing, changes nothing."""
    env = os.environ
    found = check_files(env)
    found += await check_network(env)
    found += await check_databases(env)
    found += await check_broker(CommonSettings())
    found += await check_services(env)
    found += await check_intake(env)
    found += await check_keys(env)
    return found + await check_flow(env)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Look at every part of a deployment; say what is wrong and what to do. Changes nothing.

    Exit code 1 when something fails; warnings do not count.
    """
    findings = asyncio.run(examine())
    if as_json:
        typer.echo(json.dumps([finding.body() for finding in findings], ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(findings)))
    raise typer.Exit(exit_code(findings))
