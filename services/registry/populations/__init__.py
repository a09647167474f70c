"""Denominators: the grid units x groups, what each authority still owes, declaring by spreadsheet."""
