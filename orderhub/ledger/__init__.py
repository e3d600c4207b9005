"""What the privacy officer reads: what will be erased, whether it goes in time, and the proof of what went. Reads only."""
