"""What a unit's own code says about where it lies."""


def commune_of(unit_id: str) -> str:
    """The commune of a hamlet (24133-007@2025 -> 24133@2025); any other unit itself.

    A hamlet's code is its commune's code, a hyphen and a number of its own. So what is distinct
    per commune can be told from the unit_id alone, without the tree, which facts do not wait for.
    """
    code, at, era = unit_id.partition("@")
    return f"{code.partition('-')[0]}{at}{era}"
