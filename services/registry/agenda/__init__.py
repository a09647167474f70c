"""What is to be done on which day: duties, tasks and campaigns of plans, as a list and a calendar."""
