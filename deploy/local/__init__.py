"""The embedded stack: PostgreSQL, a Kafka-compatible broker and the services, on one machine.

A pilot must start with Python and make alone. This package is the only place that knows all
services, and it knows them only as commands.
"""
