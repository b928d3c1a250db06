"""What a child process gets of this process's environment."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import rushes
import rushes_otio

_KEPT = tuple(
    "PATH HOME USERPROFILE APPDATA LOCALAPPDATA SYSTEMROOT WINDIR TEMP TMP LANG LC_ TZ XDG_ LD_LIBRARY_PATH "
    "RUSHES_FFMPEG IMAGEIO_FFMPEG_EXE OMP_ MKL_ OPENBLAS_ CUDA_ NVIDIA_ HIP_ ROCR_ PYTORCH_ HF_HOME "
    "HF_HUB_".split()
)
"""Beginnings of the names of variables that a child inherits."""


def clean_environment() -> dict[str, str]:
    """What a child needs of this process's environment, and where our packages are if not installed. No
    PYTHONPATH and nothing else that makes Python run what lies in somebody's folder."""
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(_KEPT)}
    installed = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    ours = {Path(str(package.__file__)).resolve().parents[1] for package in (rushes, rushes_otio)}
    sources = sorted(str(folder) for folder in ours - installed)
    return kept | ({"PYTHONPATH": os.pathsep.join(sources)} if sources else {})
