"""The table units x objectives: as JSON, CSV, XLSX, and for the pages."""
