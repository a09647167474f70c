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
    "tests/stack/test_broker.py",
    "tests/relay",
    "tests/intake",
    "tests/metrics",
    "tests/e2e",
    "tests/deploy/test_own_servers.py",
]


def main() -> int:
    """Fetch the broker, run the tests with it, say what ran."""
    try:
        home = apache_kafka.fetch()
    except StackError as error:
        print(f"make test-kafka: NOT RUN. {error}")
        return 0
    print(f"make test-kafka: Apache Kafka {apache_kafka.VERSION}")
    existing = [path for path in INTEGRATION if os.path.exists(path)]
    return subprocess.call(
        [sys.executable, "-m", "pytest", "-m", "(stack or e2e) and not slow", *existing],
        env={**os.environ, "HOCVUSO_KAFKA_HOME": str(home)},
    )


if __name__ == "__main__":
    sys.exit(main())
