"""The link to Rushes: its child process, what is asked and answered, what is known of films. Without Blender."""
