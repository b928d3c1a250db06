"""Cuts as other programs write them, read into plain OpenTimelineIO, and written again.

All of it runs in a limited child process: OpenTimelineIO's library and its adapters hold memory by hand and were
not made for files that mean harm.
"""
