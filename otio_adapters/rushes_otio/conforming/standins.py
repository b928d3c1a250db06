"""Files that exports put where clips have none (slates, silence), named so that the clip is known again."""

from __future__ import annotations

import hashlib
import re

from rushes_otio.items import Item

_NAMED = re.compile(r"(?:slate|silence)__([0-9a-f]{12})_", re.IGNORECASE)


def standin_name(item: Item) -> str:
    """What stands for an external clip is called by: twelve digits of what the clip and its media say they are."""
    media = item.default_media
    said = (item.name, media.OTIO_SCHEMA, media.target_url, media.generator_kind) if media else (item.name,)
    return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def stands_for(url: str) -> str:
    """The `standin_name` in the name of a file; empty for any other file."""
    found = _NAMED.search(re.split(r"[/\\]", url)[-1])
    return found[1].lower() if found else ""


def has_no_file(item: Item) -> bool:
    """Whether an export may put a file in place of the clip's media."""
    media = item.default_media
    return media is None or not (media.online or media.OTIO_SCHEMA.startswith("ImageSequenceReference."))
