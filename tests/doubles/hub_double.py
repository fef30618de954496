"""A model hub on loopback: as much of its interface as one upload of small files takes."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Hub:
    """``made`` is the request that made the repository, ``files`` what was committed to it."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.refuses = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.refuses:
            return 403, {"error": "you may not write here"}
        if path == "/api/repos/create":
            asked = json.loads(body)
            self.made = {key: asked.get(key) for key in ("name", "organization", "visibility")}
            return 200, {"url": f"{self.address}/lab/mine"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return 200, {
                "files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            }
        if "/commit/" in path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            return 200, {
                "success": True,
                "commitOid": "abc",
                "commitUrl": f"{self.address}/lab/mine/commit/abc",
                "pullRequestUrl": None,
            }
        return 200, {"id": "lab/mine", "sha": "abc", "siblings": []}


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = hub.answer(self.path.partition("?")[0], body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _reply

        def log_message(self, *_: object) -> None: ...

    return Handler
