"""Real models through diffusers. Imported in a worker process only, when a shot first needs it."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before the libraries read it: a worker never touches the network
os.environ.setdefault("DIFFUSERS_NO_ADVISORY_WARNINGS", "1")

from rushes.generators.diffusers.generator import Diffusers

__all__ = ["Diffusers"]
