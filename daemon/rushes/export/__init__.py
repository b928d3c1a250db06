"""The film for others: a timeline with absolute paths, an assembled movie, a contact sheet."""
