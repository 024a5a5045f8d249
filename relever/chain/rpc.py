"""JSON-RPC over one kept-alive connection: a Unix socket, or HTTP/1.1 written by hand for speed."""

import json
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)

Request = tuple[str, Sequence[Any]]


class RpcError(Exception):
    """The node could not be reached, or answered a request with an error.

    `code` and `data` are the node's own where it answered; `code` is 0 for transport errors.
    """

    def __init__(self, message: str, code: int = 0, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class Rpc:
    """A JSON-RPC client for one node.

    A connection that the node dropped while idle is opened again, once, and only for reads:
    a request that may change state is never sent twice.
    """

    def __init__(self, url: str, timeout: float = 60.0) -> None:
        """A node's URL, or the path of its Unix socket; `timeout` is in seconds, for one answer."""
        self.url = url
        self.timeout = timeout
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._hurry = False
        self._path = url if url.startswith("/") else None
        if self._path is not None:
            return
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RpcError(f"{url!r} is no node's address: give one like http://127.0.0.1:8545")
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname, parts.port or (443 if self._secure else 80))
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._buffer = b""

    def call(self, method: str, *params: Any) -> Any:
        """Send one request and return its result. Raises `RpcError`."""
        (answer,) = self._exchange([_single(method, params)], _is_read(method))
        return _result(answer, method)

    def sequence(
        self, requests: Sequence[Request], meanwhile: Callable[[], None] = lambda: None
    ) -> list[dict[str, Any]]:
        """Carry out requests one after the other, and return the whole answers, errors included.

        By HTTP they go out in one write, which saves as much time as the node needs for a transfer.
        Unlike a batch's parts, which the node handles side by side, they keep their order.

        Args:
            meanwhile: is done while the node works on them, once it has them all.
        """
        bodies = [_single(method, params) for method, params in requests]
        if _QUICK_ACK is not None or self._path is not None:
            return self._exchange(bodies, again=False, meanwhile=meanwhile)
        meanwhile()
        # The node holds back a second answer until the first is acknowledged, and only Linux lets
        # us do that at once.
        return [self._exchange([body], again=False)[0] for body in bodies]

    def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Send many requests as one, return their results in order.

        Raises `RpcError` for the first one that the node refused.
        """
        answers = self.batch_raw(requests)
        return [_result(answer, requests[i][0]) for i, answer in enumerate(answers)]

    def batch_raw(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """As `batch`, but return the whole answers, errors included."""
        if not requests:
            return []
        body = json.dumps(
            [
                {"jsonrpc": "2.0", "id": i, "method": method, "params": params}
                for i, (method, params) in enumerate(requests)
            ],
            separators=(",", ":"),
        ).encode()
        (answers,) = self._exchange([body], all(_is_read(method) for method, _ in requests))
        if not isinstance(answers, list) or len(answers) != len(requests):
            raise RpcError(
                f"{self.url} did not answer a batch of {len(requests)}: {answers!r:.300}"
            )
        answers.sort(key=lambda answer: answer["id"])
        return answers

    def _exchange(
        self, bodies: Sequence[bytes], again: bool, meanwhile: Callable[[], None] = lambda: None
    ) -> list[Any]:
        fresh = self._socket is None
        try:
            try:
                answers = self._send_and_read(bodies, meanwhile)
            except (ConnectionError, ssl.SSLEOFError):
                self.close()
                if fresh or not again:
                    raise
                answers = self._send_and_read(bodies, lambda: None)
            return [json.loads(answer) for answer in answers]
        except TimeoutError as error:
            self.close()
            raise RpcError(
                f"{self.url} did not answer within {self.timeout:g} s: is the node busy or stopped?"
            ) from error
        except OSError as error:
            self.close()
            raise RpcError(
                f"{self.url} cannot be reached ({error}): is the node running?"
            ) from error
        except ValueError as error:
            self.close()
            raise RpcError(f"{self.url} answered no JSON ({error}): is it a node?") from error

    def _connect(self) -> socket.socket:
        self._buffer = b""
        if self._path is not None:
            local = socket.socket(socket.AF_UNIX)
            local.settimeout(self.timeout)
            local.connect(self._path)
            return local
        plain = socket.create_connection(self._address, self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._secure:
            context = ssl.create_default_context()
            plain = context.wrap_socket(plain, server_hostname=self._address[0])
        return plain

    def _send_and_read(self, bodies: Sequence[bytes], meanwhile: Callable[[], None]) -> list[bytes]:
        if self._socket is None:
            self._socket = self._connect()
        answers = []
        if self._path is not None:
            # On its socket the node handles side by side also what comes one after the other.
            meanwhile()
            for body in bodies:
                self._socket.sendall(body)
                answers.append(self._read_until(b"\n"))
            return answers
        self._socket.sendall(
            b"".join([self._head + b"%d\r\n\r\n" % len(body) + body for body in bodies])
        )
        meanwhile()
        for waiting in range(len(bodies), 0, -1):
            self._hurry = waiting > 1
            answers.append(self._read_answer())
        return answers

    def _read_answer(self) -> bytes:
        head = self._read_until(b"\r\n\r\n").lower()
        status = head[9:12]
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            body = self._read_exactly(int(head[at + 17 : head.index(b"\r\n", at + 2)]))
        elif b"\r\ntransfer-encoding: chunked" in head:
            body = self._read_chunks()
        else:
            raise ValueError("an HTTP answer of unknown length")
        if b"\r\nconnection: close" in head and self._socket is not None:
            self._socket.close()
            self._socket = None
        if status != b"200" and body.lstrip()[:1] not in (b"{", b"["):
            raise ValueError(f"HTTP status {status.decode()}")
        return body

    def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(self._read_until(b"\r\n").split(b";")[0], 16):
            chunks.append(self._read_exactly(size))
            self._read_until(b"\r\n")
        while self._read_until(b"\r\n") != b"\r\n":
            continue
        return b"".join(chunks)

    def _read_until(self, mark: bytes) -> bytes:
        searched = 0
        while (at := self._buffer.find(mark, searched)) < 0:
            searched = max(0, len(self._buffer) - len(mark) + 1)
            self._receive()
        at += len(mark)
        found, self._buffer = self._buffer[:at], self._buffer[at:]
        return found

    def _read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _receive(self) -> None:
        if self._socket is None:
            raise ConnectionResetError("the node closed the connection")
        if self._hurry and _QUICK_ACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        data = self._socket.recv(262_144)
        if not data:
            raise ConnectionResetError("the node closed the connection")
        self._buffer += data


_WRITES = ("evm_", "anvil_", "hardhat_", "eth_send")


def _single(method: str, params: Sequence[Any]) -> bytes:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.dumps(request, separators=(",", ":")).encode()


def _is_read(method: str) -> bool:
    return not method.startswith(_WRITES)


def _result(answer: Any, method: str) -> Any:
    try:
        return answer["result"]
    except (KeyError, TypeError):
        error = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(error, dict):
            raise RpcError(f"{method}: the node answered {answer!r:.300}") from None
        raise RpcError(
            f"{method}: {error.get('message', error)}", error.get("code", 0), error.get("data")
        ) from None
