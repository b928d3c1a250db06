"""When something happens: what the editor does goes to the film, what the film does to the strips, and Blender's
undo takes back the editor's steps alone."""
