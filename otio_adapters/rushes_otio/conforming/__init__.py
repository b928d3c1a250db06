"""A cut that comes back: whose clips are which shots, and the film with that cut."""
