"""Real models through diffusers. Imported in a worker process only, when a shot first needs it."""

import os
import sys

# All before the libraries are imported, which read these then.
os.environ["HF_HUB_OFFLINE"] = "1"  # a worker never touches the network
os.environ.setdefault("DIFFUSERS_NO_ADVISORY_WARNINGS", "1")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else the last bits of a product may change
if sys.platform == "linux":  # memory in pieces that fit any size: else what is free may be of no use
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")

from rushes.generators.diffusers.generator import Diffusers

__all__ = ["Diffusers"]
