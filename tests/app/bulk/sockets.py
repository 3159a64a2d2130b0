"""A caller of `POST /score/bulk` that does by hand what no well-behaved client does."""

import json
import socket
from typing import Any, Self

from tests import patient

HEAD = (
    "POST /score/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
    "Transfer-Encoding: chunked\r\n{headers}\r\n"
)


class Caller:
    """An open call: `send` lines, `read` answers, when and as many as one likes."""

    def __init__(self, address: str, headers: dict[str, str], buffer: int | None = None) -> None:
        host, port = address.removeprefix("http://").split(":")
        self.socket = socket.socket()
        if buffer:  # before connecting, or the system grows it by itself
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(patient.SECONDS)
        self.socket.connect((host, int(port)))
        written = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.socket.sendall(HEAD.format(headers=written).encode())
        self._file = self.socket.makefile("rb")
        self.status = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, *lines: bytes | dict[str, Any]) -> None:
        written = b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(written), written))

    def end(self) -> None:
        self.socket.sendall(b"0\r\n\r\n")

    def head(self) -> int:
        """The status; the answer's headers are passed over."""
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass
        return self.status

    def answers(self) -> Any:
        """Lines as they come, until the answer's end or the connection's."""
        if not self.status:
            assert self.head() == 200
        rest = b""
        while size := int(self._file.readline().strip() or b"0", 16):
            *whole, rest = (rest + self._file.read(size)).split(b"\n")
            self._file.readline()
            yield from map(json.loads, whole)
        assert not rest
