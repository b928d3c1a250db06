"""What programs do to a cut on its way: one function for each, from the text of an export to what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import opentimelineio as otio

Json = dict[str, Any]
Damage = Callable[[str], str]

_MEDIA = re.compile(r"(?<=[/\\])[^/\\]+?(?=\.\w+$)")


def clips(timeline: Json) -> Iterator[Json]:
    for track in timeline["tracks"]["children"]:
        yield from (item for item in track["children"] if item["OTIO_SCHEMA"].startswith("Clip."))


def through_opentimelineio(text: str) -> str:
    """Read and written by the library."""
    return str(otio.adapters.read_from_string(text, "otio_json").to_json_string())


def through_resolve(text: str) -> str:
    """DaVinci Resolve keeps what its own format knows: names, files, ranges, markers with their note. All foreign
    metadata goes, and the name of the timeline; short tracks are filled up (facts of real exports)."""
    timeline = json.loads(text)
    timeline["name"], timeline["metadata"] = "", {"Resolve_OTIO": {"Resolve OTIO Meta Version": "1.0"}}
    longest = max(sum(_length(i) for i in t["children"]) for t in timeline["tracks"]["children"])
    timeline["tracks"]["metadata"], timeline["tracks"]["markers"] = {}, []
    for track in timeline["tracks"]["children"]:
        track["metadata"] = {"Resolve_OTIO": {"Locked": False}}
        short = longest - sum(_length(i) for i in track["children"])
        if short:
            track["children"].append(_gap(short, timeline["global_start_time"]["rate"]))
    for clip in clips(timeline):
        clip["metadata"] = {"Resolve_OTIO": {}}
        media = clip["media_references"]["DEFAULT_MEDIA"]
        clip["name"] = media["name"] = media["target_url"].rpartition("/")[2]
        media["metadata"] = {}
        for marker in clip.get("markers", []):
            note = marker["metadata"].get("Resolve_OTIO", {}).get("Note", "")
            marker |= {"metadata": {"Resolve_OTIO": {"Keywords": [], "Note": note}}, "comment": ""}
    return json.dumps(timeline)


def hostile_otio(text: str) -> str:
    """Markers and metadata gone, names upper-cased, files proxies in another folder, timecode from 0."""
    timeline = json.loads(through_resolve(text))
    for clip in clips(timeline):
        clip["markers"] = []
        media = clip["media_references"]["DEFAULT_MEDIA"]
        media["target_url"] = "/proxies" + _proxy(media["target_url"]).replace("/film.rushes", "")
        clip["name"] = media["name"] = media["target_url"].rpartition("/")[2].upper()
        start = media["available_range"]["start_time"]["value"]
        clip["source_range"]["start_time"]["value"] -= start
        media["available_range"]["start_time"]["value"] = 0
    return json.dumps(timeline)


def name_only(text: str) -> str:
    """Nothing but the clip's name is left of who it is; the file has another."""
    timeline = json.loads(through_resolve(text))
    for number, clip in enumerate(clips(timeline)):
        clip["markers"] = []
        media = clip["media_references"]["DEFAULT_MEDIA"]
        media["target_url"] = media["name"] = f"/elsewhere/transcode_{number:04d}.mxf"
    return json.dumps(timeline)


def unmarked(text: str) -> str:
    """Transcoded and renamed, clips and files: no trace is left."""
    timeline = json.loads(name_only(text))
    for number, clip in enumerate(clips(timeline)):
        clip["name"] = f"transcode_{number:04d}"
    return json.dumps(timeline)


def plain(text: str) -> str:
    return text


def hostile_edl(text: str) -> str:
    """Comments and locators gone, reels AX, names upper-cased proxies, files elsewhere."""
    lines = []
    for line in text.splitlines():
        if line[:1].isdigit():
            lines.append(re.sub(r"^(\d+\s+)\S+", lambda m: f"{m[1]}AX      ", line))
        elif line.startswith("* FROM CLIP NAME"):
            lines.append(
                _proxy(f"* FROM CLIP NAME:  /{line.partition(':')[2].strip()}").upper().replace("  /", "  ")
            )
        elif line.startswith(("TITLE", "FCM", "M2", "* TO CLIP NAME")):
            lines.append(line)
    return "\n".join(lines) + "\n"


def reels_only(text: str) -> str:
    """Names and comments gone: what is left are the reels."""
    return "\n".join(line for line in text.splitlines() if line[:1].isdigit() or line.startswith("TITLE")) + "\n"


def comments_only(text: str) -> str:
    """Reels AX, no names: what is left are our comments."""
    kept = [line for line in text.splitlines() if not line.startswith("* FROM")]
    return "\n".join(re.sub(r"^(\d+\s+)\S+", r"\1AX      ", line) for line in kept) + "\n"


def hostile_xml(text: str) -> str:
    """Comments, log notes and markers gone; names upper-cased, files proxies elsewhere, timecode from 0."""
    tree = ElementTree.fromstring(text)
    for clip in tree.iter("clipitem"):
        for tag in ("comments", "logginginfo", "marker"):
            for each in clip.findall(tag):
                clip.remove(each)
        name = clip.find("name")
        if name is not None and name.text:
            name.text = name.text.upper()
    for file in tree.iter("file"):
        url, name, timecode = file.find("pathurl"), file.find("name"), file.find("timecode")
        if url is not None and url.text:
            url.text = "file://localhost/proxies" + _proxy(url.text.removeprefix("file://localhost"))
        if name is not None and name.text:
            name.text = name.text.upper()
        if timecode is not None:
            file.remove(timecode)
    return ElementTree.tostring(tree, encoding="unicode")


def comments_only_xml(text: str) -> str:
    """Names and files are others; what is left are the comments."""
    tree = ElementTree.fromstring(text)
    for number, clip in enumerate(tree.iter("clipitem")):
        for name in [clip.find("name"), clip.find("file/name")]:
            if name is not None:
                name.text = f"clip {number}"
        url = clip.find("file/pathurl")
        if url is not None:
            url.text = f"file://localhost/elsewhere/{number}.mxf"
    return ElementTree.tostring(tree, encoding="unicode")


def _proxy(path: str) -> str:
    return _MEDIA.sub(lambda m: f"{m[0]}_proxy", path)


def _length(item: Json) -> float:
    return 0 if item["OTIO_SCHEMA"].startswith("Transition") else item["source_range"]["duration"]["value"]


def _gap(frames: float, rate: float) -> Json:
    def time(value: float) -> Json:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": value}

    span = {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(0), "duration": time(frames)}
    return {"OTIO_SCHEMA": "Gap.1", "metadata": {}, "name": "", "source_range": span}
