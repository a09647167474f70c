"""Refusals that more than one module of xAPI gives. The table is `docs/errors.md`."""

from shared.problems import Problem


def broken(pointer: str, rule: str, hint: str | None = None) -> Problem:
    """A statement that breaks a data rule; says which and where, repeats no value."""
    return Problem(
        "statement-invalid",
        rule,
        status=400,
        pointer=pointer or "/",
        hint=hint
        or "The rules are those of xAPI 1.0.3, part 2; docs/xapi.md has a good statement.",
    )


def bad_parameter(name: str, rule: str) -> Problem:
    """A parameter of a request that breaks a rule (part 3, section 3.2: 400)."""
    return Problem(
        "xapi-parameter",
        f"{name} {rule}",
        status=400,
        pointer=f"/{name}",
        hint="The parameters are those of xAPI 1.0.3, part 3, section 2.1.",
    )
