"""Why a number is what it is: its events, its course, its differences."""
