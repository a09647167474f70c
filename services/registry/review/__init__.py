"""The weekly review of a plan: what the week's page shows, what was decided, and what became of it."""
