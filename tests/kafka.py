"""`make test-kafka`: the integration tests against a real Apache Kafka broker.

Apache Kafka comes from Maven Central, where Java 17+ and Maven exist; elsewhere this says plainly
that it did not run, and succeeds.
"""

import os
import subprocess
import sys

from deploy.local import apache_kafka
from deploy.local.errors import StackError

INTEGRATION = [
    "tests/relay",
    "tests/intake",
    "tests/metrics",
    "tests/e2e",
    "tests/deploy/test_doctor.py",
]
"""Where tests are that use a broker, marked as such. Not here: what proves that the embedded broker
is enough (tests/stack), and what takes minutes (HOCVUSO_KAFKA_HOME=... make test-slow: moving a
system to servers of one's own, the worst order of starts). Traces, alerts and pages ask the same of
any broker."""


def main() -> int:
    """Fetch the broker, run the tests with it, say what ran."""
    try:
        home = apache_kafka.fetch()
    except StackError as error:
        print(f"make test-kafka: NOT RUN. {error}")
        return 0
    print(f"make test-kafka: Apache Kafka {apache_kafka.VERSION}")
    return subprocess.call(
        [sys.executable, "-m", "pytest", "-m", "(stack or e2e) and not slow", *INTEGRATION],
        env={**os.environ, "HOCVUSO_KAFKA_HOME": str(home)},
    )


if __name__ == "__main__":
    sys.exit(main())
