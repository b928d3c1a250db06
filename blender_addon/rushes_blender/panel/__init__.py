"""The panel in the sequencer's sidebar, and the states that are drawn on strips.

Importing the package imports nothing of Blender: how things read, what completes a mention, and where bands lie
need none.
"""
