"""Plan files: YAML with line numbers, checked against the published schema and the catalogue."""
