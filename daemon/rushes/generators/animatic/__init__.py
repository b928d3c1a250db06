"""The built-in generator: drawn storyboard panels under a moving camera, with Pillow and numpy alone."""

from rushes.generators.animatic.generator import Animatic

__all__ = ["Animatic"]
