"""Blender's add-on as an extension: its files, the zip of them, and the index of a repository that offers it.

The zip is the same, byte for byte, wherever it is made: sorted, undated, uncompressed (compressors differ).
"""

from __future__ import annotations

import io
import json
import tomllib
import zipfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rushes.hosts.manifest import FIELDS, faults
from rushes.store.durable import fault_of, write_atomic
from rushes_otio.errors import FileFault

MANIFEST = "blender_manifest.toml"
INDEX = "index.json"
REMEDY = "pip install --force-reinstall rushes"

PACKAGE = "rushes_blender"

_UNDATED = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Extension:
    """One version of it. `files` are by their path in the zip, in order."""

    manifest: dict[str, Any]
    files: dict[str, bytes]

    @property
    def id(self) -> str:
        return str(self.manifest["id"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def zip_name(self) -> str:
        return f"{self.id}-{self.version}.zip"

    @property
    def least(self) -> tuple[int, int]:
        """The first version of Blender that takes it: (4, 2)."""
        major, minor = self.manifest["blender_version_min"].split(".")[:2]
        return int(major), int(minor)

    def zipped(self) -> bytes:
        """What Blender's "Install from Disk" takes."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name, data in self.files.items():
                entry = zipfile.ZipInfo(name, _UNDATED)
                entry.create_system, entry.external_attr = 3, _MODE
                archive.writestr(entry, data)
        return out.getvalue()

    def index(self) -> dict[str, Any]:
        """The repository that lies beside the zip, as Blender's `extension server-generate` describes it."""
        data = self.zipped()
        listed = {key: self.manifest[key] for key in FIELDS if key in self.manifest and key != "wheels"}
        archive = {
            "archive_url": f"./{self.zip_name}",
            "archive_size": len(data),
            "archive_hash": f"sha256:{sha256(data).hexdigest()}",
        }
        return {"version": "v1", "blocklist": [], "data": [{**listed, **archive}]}

    def publish(self, folder: Path) -> Path:
        """Write the zip and the index into `folder`, made if need be; the path of the zip."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise fault_of(error, folder) from error
        path = folder / self.zip_name
        write_atomic(path, self.zipped(), label="extension")
        index = json.dumps(self.index(), indent=2).encode()
        write_atomic(folder / INDEX, index, label="extension")
        return path


@cache
def bundled() -> Extension:
    """The one that comes with this Rushes. It lies beside us as a package, which only Blender can import."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise FileFault(f"{PACKAGE} is not there: this Rushes is not whole", remedy=REMEDY)
    return read(Path(found.origin).parent)


def read(folder: Path) -> Extension:
    """The extension whose files lie in `folder`. FileFault that lists everything that Blender would refuse."""
    try:
        files = {name: (folder / name).read_bytes() for name in names(folder)}
    except OSError as error:
        raise fault_of(error, folder) from error
    for needed in (MANIFEST, "__init__.py"):
        if needed not in files:
            raise _fault(f"{needed} is missing", folder)
    try:
        manifest = tomllib.loads(files[MANIFEST].decode())
    except ValueError as error:
        raise _fault(f"{MANIFEST} is no TOML: {error}", folder) from error
    if found := faults(manifest):
        raise _fault(f"{MANIFEST}: {'; '.join(found)}", folder)
    return Extension(manifest, files)


def names(folder: Path) -> list[str]:
    """The files in `folder` that belong to it, sorted: no caches, nothing hidden."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if not any(map(_is_byproduct, path.parts)))


def _is_byproduct(part: str) -> bool:
    return part.startswith(".") or part == "__pycache__" or part.endswith(".pyc")


def _fault(text: str, folder: Path) -> FileFault:
    return FileFault(
        f"this is no extension that Blender takes: {text}",
        where=str(folder),
        remedy=REMEDY,
    )
