"""Whether a folder lies on another machine: the system tells of changes there only when this machine made them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_REMOTE = frozenset(
    "nfs nfs4 cifs smb2 smb3 smbfs 9p afs ceph fuse.ceph glusterfs fuse.glusterfs fuse.sshfs fuse.rclone "
    "fuse.s3fs fuse.davfs2 davfs lustre gpfs beegfs ncpfs vboxsf fuse.vmhgfs-fuse prl_fs virtiofs".split()
)
_DRIVE_REMOTE = 4


def is_remote(folder: Path) -> bool:
    """Whether `folder` (a real path) lies on a network drive, or a folder that a virtual machine shares."""
    if sys.platform == "win32":
        return _on_windows(folder)
    if sys.platform == "darwin":
        return folder.is_relative_to("/Volumes") or folder.is_relative_to("/net")
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return file_system(folder, mounts) in _REMOTE


def file_system(folder: Path, mounts: str) -> str:
    """The type of the file system that holds `folder`, by the text of /proc/self/mountinfo (proc(5))."""
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = _unescaped(fields[4])
        if len(point) >= len(best) and folder.is_relative_to(point):
            best, kind = point, after.split(" ")[0]
    return kind


def _unescaped(point: str) -> str:
    """Blanks and backslashes of a mount point are written as octal numbers."""
    for written, meant in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(written, meant)
    return point


def _on_windows(folder: Path) -> bool:
    drive = os.path.splitdrive(folder)[0]
    if drive.startswith("\\\\"):
        return True
    import ctypes

    windll = getattr(ctypes, "windll", None)
    return bool(windll and windll.kernel32.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE)
