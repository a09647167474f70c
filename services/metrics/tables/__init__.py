"""The current cells: refreshed, stored, served, watched."""
