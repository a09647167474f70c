"""Tasks of a plan: who leads, until when, what it costs, and the events that prove it."""
