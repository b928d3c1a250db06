"""A Hub of Hugging Face on 127.0.0.1, as far as huggingface_hub 2 asks one about a model: real HTTP, real digests.

with FakeHub() as hub:
    hub.repositories["acme/tiny"] = Repository.of(folder)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

COMMIT = hashlib.sha1(b"a commit").hexdigest()


@dataclass
class Repository:
    """One repository: its files at one commit. Weights are known by their sha256, as in Git LFS. `says` are sizes
    that it tells instead of the true ones."""

    files: dict[str, bytes]
    commit: str = COMMIT
    gated: bool = False
    says: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, **settings: Any) -> Self:
        found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        return cls(found, **settings)

    def etag(self, file: str) -> str:
        data = self.files[file]
        if file.endswith(".safetensors"):
            return hashlib.sha256(data).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def as_dict(self, name: str) -> dict[str, Any]:
        return {
            "_id": "0" * 24,
            "id": name,
            "sha": self.commit,
            "private": False,
            "gated": "manual" if self.gated else False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": [self._sibling(file) for file in self.files],
        }

    def _sibling(self, file: str) -> dict[str, Any]:
        size, etag = self.says.get(file, len(self.files[file])), self.etag(file)
        large = {"lfs": {"sha256": etag, "size": size, "pointerSize": 134}} if len(etag) == 64 else {}
        return {"rfilename": file, "size": size, "blobId": etag[:40], **large}


@dataclass
class FakeHub:
    """The server. `cuts` says after how many bytes a file's first transfer is cut off; `asked` is every request:
    method, path, and what it says in Range."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fetched(self) -> list[str]:
        """The files whose bytes were sent."""
        return [
            path.partition(f"/{COMMIT}/")[2]
            for method, path, _ in self.asked
            if method == "GET" and COMMIT in path
        ]


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing: tests read `asked`."""

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((self.command, path, self.headers.get("Range", "")))
            parts = path.strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                self._about("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
            elif len(parts) > 4 and parts[2] == "resolve":
                self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
            else:
                self._refuse(404, "RepoNotFound")

        def _about(self, name: str, revision: str) -> None:
            found = hub.repositories.get(name)
            if found is None:
                self._refuse(401, "RepoNotFound")
            elif revision not in ("main", found.commit):
                self._refuse(404, "RevisionNotFound")
            else:
                body = json.dumps(found.as_dict(name)).encode()
                self._send(200, {"Content-Type": "application/json"}, body)

        def _file(self, name: str, revision: str, file: str) -> None:
            found = hub.repositories.get(name)
            if found is None or file not in found.files:
                return self._refuse(404, "EntryNotFound" if found else "RepoNotFound")
            if found.gated:
                return self._refuse(403, "GatedRepo")
            data, start = found.files[file], self._start()
            known = {"ETag": f'"{found.etag(file)}"', "X-Repo-Commit": found.commit, "Accept-Ranges": "bytes"}
            if start:
                known["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            cut = hub.cuts.pop(file, None) if self.command == "GET" else None
            return self._send(206 if start else 200, known, data[start:], cut)

        def _start(self) -> int:
            asked = self.headers.get("Range", "").removeprefix("bytes=").partition("-")[0]
            return int(asked or 0)

        def _refuse(self, status: int, code: str) -> None:
            self._send(status, {"X-Error-Code": code, "X-Error-Message": code}, b"")

        def _send(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(body if cut is None else body[:cut])
            if cut is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

    return Handler
