"""The user's settings: `settings.toml` in the configuration folder. Everything has a default.

roots = ["/mnt/footage"]          # folders beside the film's own that films may read pictures from
ffmpeg = "/usr/bin/ffmpeg"        # instead of the one that came with the installation
cache_gib = 50                    # bound of the stage cache
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from rushes_otio.errors import FileFault


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module; `silence_s` is how long a stage may say nothing before its worker counts as hung, `rest_s`
    how long a worker keeps its models with nothing to do, `idle_s` how long the daemon stays then and nobody is
    there.
    """

    roots: list[str] = []
    ffmpeg: str = ""
    cache_gib: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 50
    idle_s: Annotated[int, msgspec.Meta(ge=1, le=31_536_000)] = 600
    rest_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300
    silence_s: Annotated[int, msgspec.Meta(ge=5, le=86_400)] = 60


def read_settings(path: Path) -> Settings:
    """The settings in `path`; the defaults when there is no such file. FileFault names the wrong key."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        return Settings()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as e:
        raise FileFault(
            f"the settings cannot be read: {e}",
            where=str(path),
            remedy="known settings: " + ", ".join(Settings.__struct_fields__),
        ) from None
