"""The small film that `rushes demo` makes."""

from __future__ import annotations

from importlib.resources import files


def script_text() -> str:
    """The screenplay, in Fountain: three scenes, twelve shots, about half a minute."""
    return files(__name__).joinpath("script.fountain").read_text(encoding="utf-8")
