"""The identity a take carries inside its own file, so that an index of takes can be rebuilt from the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from rushes.media.probe import open_movie, own_tags
from rushes_otio.ids import is_id


class Tags(msgspec.Struct, frozen=True):
    """What `rushes_*` tags say. Only `shot` is checked; a reader of `json` must expect a stranger's text."""

    shot: str  # shot id
    take: str  # "t003"
    key: str  # key of the encode stage
    json: str = "{}"  # the take's record, as the text that was written

    def to_metadata(self) -> dict[str, str]:
        """The tags as name and text, for `Encoder`, `join` and `remux`."""
        return {f"rushes_{field}": getattr(self, field) for field in self.__struct_fields__}


def read_tags(path: Path) -> Tags | None:
    """The identity in the movie file at `path`, or None when it is not one of ours. MediaFault as `probe`."""
    with open_movie(path) as container:
        return tags_in(own_tags(container))


def tags_in(metadata: Mapping[str, str]) -> Tags | None:
    """The identity among tags that were read before (`Probe.tags`)."""
    found = {field: metadata.get(f"rushes_{field}", "") for field in Tags.__struct_fields__}
    return Tags(**found) if is_id(found["shot"]) else None
