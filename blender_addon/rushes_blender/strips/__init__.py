"""The sequencer's strips: read, made, placed, given another medium. Knows nothing of the link."""
