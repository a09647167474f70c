"""Foreign suites, run against an instance of our own: `make test-conformance`."""
