"""The log counted into tables: batches, exactly once, parked rows, sums of past days."""
