"""The order of a new key, as tests send it."""

ORDER = {
    "name": "cong-an",
    "roles": ["police"],
    "scopes": ["events:write", "xapi:write"],
    "types": ["citizen.*"],
    "sources": ["https://congan.daklak.example/"],
    "subtree": "66@2025",
    "era": "2025",
    "expires_at": "2027-01-01T00:00:00Z",
}
