"""Reporting obligations: their periods and due days, who owes what, what was handed in."""
