"""What registry keeps of the facts: reports and decisions as they are, of all else who sent how much."""
