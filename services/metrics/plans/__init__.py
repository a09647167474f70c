"""What plans, units and populations say on a day, and what that compiles to."""
