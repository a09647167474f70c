"""Documents that a plan demands: composed from the numbers, edited, confirmed, kept, compared."""
