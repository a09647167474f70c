"""From tallies to cells: value, denominator, target, status, for any day."""
