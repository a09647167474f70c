"""What the definition lane means: units, plans, amendments, populations, and what plans measure.

Pure folds of the log's definition rows and pure readings of them, shared by all services, so that no
two of them can disagree about what a plan, a unit's territory or a declared number is. Knows no
database, broker or web.
"""
