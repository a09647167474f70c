"""`hocvuso send`: posting a file of events or a spreadsheet; built on the partner client."""
