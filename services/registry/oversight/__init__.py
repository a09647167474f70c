"""What is followed up: inspections until all is remedied, feedback until it is answered."""
