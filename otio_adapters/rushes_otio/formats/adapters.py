"""The adapters of other projects, one by one and by name.

OpenTimelineIO's own plugin search would run whatever is installed or named in an environment variable.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def adapter(package: str, file: str) -> ModuleType:
    """The module `file` of an installed adapter package, as a part of `opentimelineio.adapters`, which adapters
    expect to be. ImportError when it, or a library it needs, is not installed."""
    name = f"opentimelineio.adapters.{Path(file).stem}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ImportError(f"{package} is not installed")
    spec = importlib.util.spec_from_file_location(name, Path(found.origin).with_name(file))
    if spec is None or spec.loader is None:
        raise ImportError(f"{package} has no {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
