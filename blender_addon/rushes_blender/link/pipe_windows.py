"""The ends of a child's pipes on Windows, where pipes cannot be polled and, before Python 3.12, not be set to not
wait.

Reading asks first how much is there: PeekNamedPipe, which takes anonymous pipes too. Writing is set to
PIPE_NOWAIT: a WriteFile for which there is no room writes nothing then, and returns at once. Both as Microsoft
documents them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import byref, wintypes
from typing import Any, Protocol

PIPE_NOWAIT = 1


class Kernel32(Protocol):
    """The functions used, as the DLL has them: 0 is a failure."""

    PeekNamedPipe: Callable[..., int]
    ReadFile: Callable[..., int]
    WriteFile: Callable[..., int]
    SetNamedPipeHandleState: Callable[..., int]


class WindowsEnds:
    """By the handles of the two ends that are ours. Both are closed by who made them."""

    def __init__(self, kernel: Kernel32, out: int, into: int) -> None:
        self._kernel = kernel
        self._out = out
        self._into = into
        kernel.SetNamedPipeHandleState(into, byref(wintypes.DWORD(PIPE_NOWAIT)), None, None)

    def read(self, most: int) -> bytes | None:
        """As `Ends.read`. Reads no more than is there, so it does not wait."""
        there, got = wintypes.DWORD(), wintypes.DWORD()
        if not self._kernel.PeekNamedPipe(self._out, None, 0, None, byref(there), None):
            return b""
        if not there.value:
            return None
        buffer = ctypes.create_string_buffer(min(there.value, most))
        if not self._kernel.ReadFile(self._out, buffer, len(buffer), byref(got), None):
            return b""
        return buffer.raw[: got.value] or None

    def write(self, data: memoryview) -> int | None:
        """As `Ends.write`. A write for which there is no room as a whole takes nothing: halves are tried."""
        size = len(data)
        while size:
            written = wintypes.DWORD()
            if not self._kernel.WriteFile(self._into, bytes(data[:size]), size, byref(written), None):
                return len(data)
            if written.value:
                return int(written.value)
            size //= 2
        return None


def kernel32() -> Kernel32:
    """The real one, told what its parameters are: a handle is as wide as a pointer."""
    dll: Any = getattr(ctypes, "WinDLL")("kernel32")  # noqa: B009 (not there where types are checked)
    dword, pointer, handle, text = wintypes.DWORD, ctypes.c_void_p, wintypes.HANDLE, ctypes.c_char_p
    count = ctypes.POINTER(dword)
    dll.PeekNamedPipe.argtypes = (handle, pointer, dword, count, count, count)
    dll.ReadFile.argtypes = (handle, text, dword, count, pointer)
    dll.WriteFile.argtypes = (handle, text, dword, count, pointer)
    dll.SetNamedPipeHandleState.argtypes = (handle, count, count, count)
    for function in (dll.PeekNamedPipe, dll.ReadFile, dll.WriteFile, dll.SetNamedPipeHandleState):
        function.restype = wintypes.BOOL
    found: Kernel32 = dll
    return found


def handle_of(fd: int) -> int:
    """The handle behind a file descriptor."""
    import msvcrt

    get: Callable[[int], int] = getattr(msvcrt, "get_osfhandle")  # noqa: B009 (not there where types are checked)
    return get(fd)
