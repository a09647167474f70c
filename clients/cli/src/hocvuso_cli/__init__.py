"""`hocvuso` for senders: files and spreadsheets to events, what became of them, day by day."""

VERSION = "0.1.0"
