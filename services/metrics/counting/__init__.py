"""What counts: measures, and how events become evidence and tallies. Pure."""
