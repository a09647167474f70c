"""Units: from the files of `units/` to events, and the addresses that show them."""
