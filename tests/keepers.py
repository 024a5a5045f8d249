"""What tests of the keeper need: a node that fails and lies, accounts, a log that is read back."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from relever.chain import Rpc
from relever.keeper import Keeper, Log, Trust
from relever.protocol import Deployment
from tests.scene import ETHER

# Time on this chain is not the world's.
TRUST = Trust(timeout_seconds=5, clock_lag_seconds=None)
GWEI = 10**9
Make = Callable[..., Keeper]
Fault = Callable[[str, list[Any], Callable[[], Any]], Any]


class FaultyNode:
    """Hands requests on to a node; `fault` may answer in its place, or spoil the answer.

    It is told the method, the parameters, and how to get the true result.
    """

    def __init__(self, node: str) -> None:
        self.fault: Fault = lambda method, params, result: result()
        self.asked: list[str] = []
        guard, behind = threading.Lock(), Rpc(node)

        def answered(asked: dict[str, Any]) -> dict[str, Any]:
            method, params = asked["method"], asked["params"]
            self.asked.append(method)

            def result() -> Any:
                with guard:
                    return behind.batch_raw([(method, params)])[0]

            answer = self.fault(method, params, result)
            return {"jsonrpc": "2.0", **answer, "id": asked["id"]}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body in one packet: else each answer waits for the client's delayed receipt.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(handler) -> None:
                asked = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
                many = isinstance(asked, list)
                answers = [answered(one) for one in (asked if many else [asked])]
                body = json.dumps(answers if many else answers[0]).encode()
                handler.send_response(200)
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)
                handler.wfile.flush()

            def log_message(handler, *words: Any) -> None:
                """Nothing on standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def heal(self) -> None:
        """From now on it tells the truth."""
        self.fault = lambda method, params, result: result()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Told:
    """A keeper's log, read back."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.log = Log(self.stream)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def events(self, *names: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] in names]


def rich(scene: Deployment, number: int) -> LocalAccount:
    """An account with ether, of the key of this number."""
    account: LocalAccount = Account.from_key(number.to_bytes(32, "big"))
    scene.chain.set_balance(account.address, 10 * ETHER)
    return account


def liquidations(scene: Deployment) -> list[dict[str, Any]]:
    """Every liquidation at the market since the deployment."""
    market = scene.protocol.market.address
    found = scene.chain.rpc(
        "eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest", "address": market}]
    )
    events = [scene.chain.decode_log(log) for log in found]
    return [event.args for event in events if event.name == "Liquidated"]
