"""The JSON-RPC client against a node that behaves badly in every way."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relever.chain import Anvil, Rpc, RpcError

Script = list[list[bytes | None]]


def http(body: Any, head: str = "", status: str = "200 OK") -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw


def result(value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": value}


class Scripted:
    """A server that answers the n-th request of its m-th connection as told, then hangs up.

    None as an answer hangs up without one.
    """

    def __init__(self, script: Script, pieces: int = 1_000_000) -> None:
        self.asked: list[Any] = []
        self._script = script
        self._pieces = pieces
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        for answers in self._script:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as stream:
                for answer in answers:
                    if (asked := self._read(stream)) is None:
                        break
                    self.asked.append(asked)
                    if answer is None:
                        break
                    for at in range(0, len(answer), self._pieces):
                        connection.sendall(answer[at : at + self._pieces])

    @staticmethod
    def _read(stream: Any) -> Any:
        size = 0
        while line := stream.readline():
            if line == b"\r\n":
                return json.loads(stream.read(size))
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        return None

    def close(self) -> None:
        # Wakes the thread when it still waits for a connection.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    made: list[Scripted] = []

    def make(script: Script, pieces: int = 1_000_000) -> Scripted:
        made.append(Scripted(script, pieces))
        return made[-1]

    yield make
    for server in made:
        server.close()


def test_call__one_connection__serves_many(scripted: Callable[..., Scripted]) -> None:
    server = scripted([[http(result(i)) for i in range(3)]])
    rpc = Rpc(server.url)
    assert [rpc.call("m", i, {"k": [i]}) for i in range(3)] == [0, 1, 2]
    assert server.asked[2] == {"jsonrpc": "2.0", "id": 1, "method": "m", "params": [2, {"k": [2]}]}
    rpc.close()


@pytest.mark.parametrize("pieces", [1, 7, 4096])
@pytest.mark.parametrize("name", ["content-length", "Content-Length", "CONTENT-LENGTH"])
def test_call__answer_in_pieces__is_put_together(
    scripted: Callable[..., Scripted], pieces: int, name: str
) -> None:
    answers = [http(result("x" * n)).replace(b"Content-Length", name.encode()) for n in (9, 900)]
    rpc = Rpc(scripted([answers], pieces).url)
    assert rpc.call("m") == "x" * 9
    assert rpc.call("m") == "x" * 900
    rpc.close()


@pytest.mark.parametrize("pieces", [1, 1000])
def test_call__chunked__is_put_together(scripted: Callable[..., Scripted], pieces: int) -> None:
    raw = json.dumps(result("y" * 40)).encode()
    chunks = b"".join(
        b"%x;ext=1\r\n%s\r\n" % (len(raw[at : at + 13]), raw[at : at + 13])
        for at in range(0, len(raw), 13)
    )
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    rpc = Rpc(scripted([[chunked + b"0\r\n\r\n", chunked + b"0\r\nTail: t\r\n\r\n"]], pieces).url)
    assert rpc.call("m") == "y" * 40
    assert rpc.call("m") == "y" * 40
    rpc.close()


def test_call__read_on_a_dropped_connection__is_sent_again_once(
    scripted: Callable[..., Scripted],
) -> None:
    server = scripted([[http(result(1))], [http(result(2))], [None]])
    rpc = Rpc(server.url)
    assert rpc.call("eth_call") == 1
    assert rpc.call("eth_call") == 2
    with pytest.raises(RpcError, match="cannot be reached"):
        rpc.call("eth_call")


@pytest.mark.parametrize("method", ["eth_sendTransaction", "evm_mine", "anvil_setBalance"])
def test_call__write_on_a_dropped_connection__is_never_sent_again(
    scripted: Callable[..., Scripted], method: str
) -> None:
    server = scripted([[http(result(1)), None], [http(result(3))]])
    rpc = Rpc(server.url)
    assert rpc.call(method) == 1
    with pytest.raises(RpcError, match="cannot be reached"):
        rpc.call(method)
    assert len(server.asked) == 2
    assert rpc.call(method) == 3
    rpc.close()


def test_batch__with_one_write__is_never_sent_again(scripted: Callable[..., Scripted]) -> None:
    server = scripted([[http(result(1)), None], [http(result(2))]])
    rpc = Rpc(server.url)
    rpc.call("eth_call")
    with pytest.raises(RpcError, match="cannot be reached"):
        rpc.batch([("eth_call", ()), ("evm_mine", ())])
    assert len(server.asked) == 2


def test_call__connection_close__opens_a_new_one(scripted: Callable[..., Scripted]) -> None:
    closing = http(result(1), "Connection: close\r\n")
    rpc = Rpc(scripted([[closing], [http(result(2))]]).url)
    assert rpc.call("evm_mine") == 1
    assert rpc.call("evm_mine") == 2
    rpc.close()


def test_call__error_answer__carries_code_and_data(scripted: Callable[..., Scripted]) -> None:
    error = {"code": 3, "message": "execution reverted", "data": "0x01"}
    rpc = Rpc(scripted([[http({"id": 1, "error": error}, status="400 Bad Request")]]).url)
    with pytest.raises(RpcError) as refused:
        rpc.call("eth_call")
    assert str(refused.value) == "eth_call: execution reverted"
    assert (refused.value.code, refused.value.data) == (3, "0x01")
    rpc.close()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"<html>"), "answered no JSON"),
        (http(b"busy", status="503 Service Unavailable"), "HTTP status 503"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "unknown length"),
        (http([1]), "the node answered"),
        (http({"id": 1}), "the node answered"),
        (http(b'{"id":1')[:-1], "cannot be reached"),
    ],
)
def test_call__nonsense__one_clear_error(
    scripted: Callable[..., Scripted], answer: bytes, why: str
) -> None:
    rpc = Rpc(scripted([[answer]]).url)
    with pytest.raises(RpcError, match=why):
        rpc.call("m")
    rpc.close()


def test_call__no_answer__times_out(scripted: Callable[..., Scripted]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        rpc = Rpc(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.1)
        start = time.monotonic()
        with pytest.raises(RpcError, match=r"did not answer within 0\.1 s"):
            rpc.call("m")
        assert time.monotonic() - start < 5
        rpc.close()


def test_call__nobody_listens__says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(RpcError, match=f"{url} cannot be reached .* is the node running"):
        Rpc(url).call("m")


@pytest.mark.parametrize("url", ["", "127.0.0.1:8545", "ftp://127.0.0.1", "http://"])
def test_init__no_address__says_what_one_looks_like(url: str) -> None:
    with pytest.raises(RpcError, match="give one like http://"):
        Rpc(url)


def test_sequence__one_after_the_other__whole_answers(scripted: Callable[..., Scripted]) -> None:
    refused = {"id": 1, "error": {"code": 3, "message": "no"}}
    server = scripted([[http(result(1)), http(refused), http(result(3))]], 11)
    rpc = Rpc(server.url)
    answers = rpc.sequence([("a", ()), ("b", (1,)), ("c", ())])
    assert answers == [result(1), refused, result(3)]
    assert [asked["method"] for asked in server.asked] == ["a", "b", "c"]
    rpc.close()


def test_sequence__dropped_in_the_middle__never_sent_again(
    scripted: Callable[..., Scripted],
) -> None:
    server = scripted([[http(result(1)), None], [http(result(2))]])
    rpc = Rpc(server.url)
    with pytest.raises(RpcError, match="cannot be reached"):
        rpc.sequence([("eth_chainId", ()), ("eth_chainId", ()), ("eth_chainId", ())])
    assert len(server.asked) == 2
    assert rpc.call("eth_chainId") == 2
    rpc.close()


def test_sequence__closing_answer_in_the_middle__is_an_error(
    scripted: Callable[..., Scripted],
) -> None:
    rpc = Rpc(scripted([[http(result(1), "Connection: close\r\n")]]).url)
    with pytest.raises(RpcError, match="closed the connection"):
        rpc.sequence([("a", ()), ("b", ())])


def test_sequence__without_quick_acks__one_by_one(
    scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relever.chain.rpc._QUICK_ACK", None)
    rpc = Rpc(scripted([[http(result(1)), http(result(2))]]).url)
    assert rpc.sequence([("a", ()), ("b", ())]) == [result(1), result(2)]
    rpc.close()


def test_sequence__on_a_node__order_kept_and_no_stall(node: Anvil) -> None:
    rpc = Rpc(node.url)
    start = time.monotonic()
    for _ in range(50):
        before, _, after = rpc.sequence(
            [("eth_blockNumber", ()), ("evm_mine", ()), ("eth_blockNumber", ())]
        )
        assert int(after["result"], 16) == int(before["result"], 16) + 1
    # Held back answers would take 40 ms a piece, 4 s in all.
    assert time.monotonic() - start < 2
    rpc.close()


def test_batch__answers_out_of_order__are_sorted(scripted: Callable[..., Scripted]) -> None:
    answers = [{"id": i, "result": i * 10} for i in (2, 0, 1)]
    rpc = Rpc(scripted([[http(answers)]]).url)
    assert rpc.batch([("a", ()), ("b", ()), ("c", ())]) == [0, 10, 20]
    rpc.close()


def test_batch__too_few_answers__is_an_error(scripted: Callable[..., Scripted]) -> None:
    rpc = Rpc(scripted([[http([{"id": 0, "result": 1}])]]).url)
    with pytest.raises(RpcError, match="did not answer a batch of 2"):
        rpc.batch([("a", ()), ("b", ())])
    rpc.close()


def test_batch__nothing__asks_nothing(scripted: Callable[..., Scripted]) -> None:
    server = scripted([])
    assert Rpc(server.url).batch([]) == []
    assert server.asked == []


def test_batch__one_refused__names_its_method(node: Anvil) -> None:
    rpc = Rpc(node.url)
    with pytest.raises(RpcError, match="eth_nonsense"):
        rpc.batch([("eth_chainId", ()), ("eth_nonsense", ())])
    assert rpc.batch([("eth_chainId", ())] * 300) == [hex(31337)] * 300
    rpc.close()
