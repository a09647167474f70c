"""What a partner's principal may do on the broker, and nothing else. Pure.

It writes its intake topic (raw identifiers: it cannot read them back), reads its receipts, in
consumer groups and transactions under names of its own.
"""

from dataclasses import dataclass

from services.activities.intake.model import Partner

# Numbers of the protocol guide: AclOperation, ResourceType, PatternType, AclPermissionType.
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8}
RESOURCES = {"topic": 2, "group": 3, "transactional-id": 5}
PATTERNS = {"literal": 3, "prefixed": 4}
ALLOW = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of `kafka-acls`: operations on a resource."""

    resource: str
    name: str
    pattern: str
    operations: tuple[str, ...]

    def command(self, principal: str) -> str:
        """As the line for the broker's own tool."""
        operations = " ".join(f"--operation {o}" for o in self.operations)
        return (
            "kafka-acls --bootstrap-server $BROKER --command-config admin.properties --add"
            f" --allow-principal {principal} {operations} --{self.resource} {self.name}"
            f" --resource-pattern-type {self.pattern}"
        )

    def entries(self, principal: str) -> list[tuple[int, str, int, str, str, int, int]]:
        """As entries of CreateAcls."""
        return [
            (
                RESOURCES[self.resource],
                self.name,
                PATTERNS[self.pattern],
                principal,
                "*",
                OPERATIONS[operation],
                ALLOW,
            )
            for operation in self.operations
        ]


def rules(partner: Partner) -> list[Rule]:
    """All that a partner's principal may do."""
    own = f"{partner.receipts}."
    return [
        Rule("topic", partner.intake, "literal", ("Write", "Describe")),
        Rule("topic", partner.receipts, "literal", ("Read", "Describe")),
        Rule("group", own, "prefixed", ("Read",)),
        Rule("transactional-id", own, "prefixed", ("Write", "Describe")),
    ]


def commands(partner: Partner) -> list[str]:
    """The lines to run, where the broker does not take rules from here."""
    principal = partner.principal or f"User:{partner.name}"
    return [rule.command(principal) for rule in rules(partner)]
