"""AAF, as Avid Media Composer writes it, by the adapter `otio-aaf-adapter` 2.0.0 (the extra `aaf`). Read only."""

from __future__ import annotations

from pathlib import Path

import opentimelineio as otio

from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.formats.adapters import adapter
from rushes_otio.formats.reading import ReadCut
from rushes_otio.text import printable
from rushes_otio.timing import Rate


def read(path: Path, data: bytes, rate: Rate) -> ReadCut:
    """The cut in an AAF file. BadRequest where the extra is not installed."""
    del data, rate  # the library opens the file itself, which says its own rate
    try:
        avid = adapter("otio_aaf_adapter.adapters", "advanced_authoring_format.py")
    except ImportError as error:
        raise BadRequest(
            "reading AAF needs a library that is not installed",
            where=str(path),
            remedy="run: pip install 'rushes[aaf]'",
        ) from error
    try:
        found = avid.read_from_file(str(path))
        text = found.to_json_string(indent=-1).encode()
    except Exception as error:  # adapters raise whatever their parts raise
        raise FileFault(
            f"not an AAF that can be read: {printable(f'{type(error).__name__}: {error}', 300)}",
            where=str(path),
            remedy="export the cut again, or as OpenTimelineIO (.otio)",
        ) from error
    if not isinstance(found, otio.schema.Timeline):
        raise FileFault(
            f"the file holds a {found.schema_name()}, not one timeline",
            where=str(path),
            remedy="export one sequence by itself",
        )
    return ReadCut(text, [])
