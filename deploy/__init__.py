"""How the system is run: embedded on one machine, or in containers."""
