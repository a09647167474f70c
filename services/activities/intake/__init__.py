"""Kafka as a way in: a topic per partner, read into the log with its offsets.

`partner.py` is the loop of one partner, `manager.py` decides which process runs it. Positions,
receipts and troubles are written in the transaction that appends (`store.py`), so nothing is lost
or doubled whoever crashes.
"""
