"""Which units and partners reported what and when; confirming that there was nothing to report."""
