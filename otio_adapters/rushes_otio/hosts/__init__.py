"""A film's cut as an editor's open timeline has it, and back."""
