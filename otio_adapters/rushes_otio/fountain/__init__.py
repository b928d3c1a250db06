"""Screenplays in Fountain: headings become scenes, action becomes shots, characters become the library.

    parse_script(text, rate) / read_script(path, rate)
        blocks    paragraphs and their notes, with line numbers
        elements  what each paragraph is, as screenplain reads it
        notes     what the notes set
        draft     scenes and shots, with headings taken apart and the library filled
        build     names linked, durations guessed, everything frozen into a Script

Nothing here knows OpenTimelineIO: a Script is what the film is then made from.
"""

from rushes_otio.fountain.notes import NOTE_FIELDS
from rushes_otio.fountain.reader import parse_script, read_script
from rushes_otio.fountain.script import LibraryEntry, Script, ScriptScene, ScriptShot

__all__ = [
    "NOTE_FIELDS",
    "LibraryEntry",
    "Script",
    "ScriptScene",
    "ScriptShot",
    "parse_script",
    "read_script",
]
