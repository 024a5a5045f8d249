"""The node a keeper looks through: asked with a time limit, reached again, and doubted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import URI
from hexbytes import HexBytes
from web3 import HTTPProvider, IPCProvider, LegacyWebSocketProvider, Web3
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint

from relever.keeper.config import Trust

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 15.0
# JSON-RPC's code for a call that reverted.
_REVERTED = 3


class NodeError(Exception):
    """The node cannot be reached, did not answer in time, or answered what is no answer."""


class Distrusted(Exception):
    """The node answers, but must not be believed; the message says why."""


class Refused(Exception):
    """A call reverts, or the node does not take a transaction; the message is the reason."""


@dataclass(frozen=True)
class Head:
    """A block: number, hash and its parent's, seconds, and base fee in wei per gas."""

    number: int
    hash: str
    parent: str
    timestamp: int
    base_fee: int


class Node:
    """One node by web3.py, at an http(s) or ws(s) URL or at the path of a socket."""

    def __init__(
        self, url: str, trust: Trust, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.url, self.trust = url, trust
        self._clock = clock
        self._web3: Web3 | None = None
        self._pause, self._not_before = _FIRST_PAUSE_SECONDS, 0.0
        self._chain_id: int | None = None
        self._last: Head | None = None
        self._moved_at = clock()

    # Asking

    def ask(self, method: str, *params: Any) -> Any:
        """The result of one request.

        Raises:
            NodeError: no answer. The next request makes a new connection, after a pause that grows.
            Refused: the node answered with an error.
        """
        if (left := self._not_before - self._clock()) > 0:
            raise NodeError(f"{self.url} is asked again in {left:.1f} s")
        try:
            answer = self._provider().make_request(RPCEndpoint(method), list(params))
        except Exception as error:
            # Whatever a provider's libraries raise: there was no answer.
            raise self._lost(f"{method}: {type(error).__name__}: {error}") from error
        if not isinstance(answer, Mapping) or ("error" not in answer and "result" not in answer):
            raise self._lost(f"{method}: answered {answer!r:.100}")
        self._pause = _FIRST_PAUSE_SECONDS
        if (refusal := answer.get("error")) is not None:
            raise Refused(_reason(refusal))
        return answer["result"]

    def ask_all(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of many requests in one, each a `Refused` where the node answered an error.

        Raises `NodeError`, as `ask`.
        """
        if not requests:
            return []
        if (left := self._not_before - self._clock()) > 0:
            raise NodeError(f"{self.url} is asked again in {left:.1f} s")
        asked = [(RPCEndpoint(method), list(params)) for method, params in requests]
        try:
            answers = self._provider().make_batch_request(asked)
        except Exception as error:
            raise self._lost(f"a batch: {type(error).__name__}: {error}") from error
        if not isinstance(answers, list) or len(answers) != len(requests):
            raise self._lost(f"a batch: answered {answers!r:.100}")
        results: list[Any] = []
        for answer in answers:
            if (refusal := answer.get("error")) is not None:
                results.append(Refused(_reason(refusal)))
            elif "result" in answer:
                results.append(answer["result"])
            else:
                raise self._lost(f"a batch: answered {answer!r:.100}")
        return results

    def close(self) -> None:
        """Drop the connection."""
        if self._web3 is None:
            return
        provider, self._web3 = self._web3.provider, None
        close = getattr(provider, "disconnect", None)
        if callable(close):
            close()

    def _provider(self) -> JSONBaseProvider:
        if self._web3 is None:
            self._web3 = Web3(_provider(self.url, self.trust.timeout_seconds))
        provider = self._web3.provider
        assert isinstance(provider, JSONBaseProvider)
        return provider

    def _lost(self, why: str) -> NodeError:
        self._web3 = None
        # Not all at once when a node comes back.
        self._not_before = self._clock() + self._pause * random.uniform(0.5, 1.0)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return NodeError(f"{self.url} does not answer: {why:.300}")

    # What is asked

    def number(self) -> int:
        """The number of its latest block."""
        return _integer(self.ask("eth_blockNumber"), "a block number")

    def block(self, number: int | str = "latest") -> Head:
        """A block. Raises `NodeError` also when it has none of that number."""
        tag = hex(number) if isinstance(number, int) else number
        found = self.ask("eth_getBlockByNumber", tag, False)
        try:
            return Head(
                int(found["number"], 16),
                str(found["hash"]),
                str(found["parentHash"]),
                int(found["timestamp"], 16),
                int(found.get("baseFeePerGas", "0x0"), 16),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NodeError(f"{self.url} has no block {tag}: {found!r:.100}") from error

    def nonce(self, account: str, tag: str = "latest") -> int:
        """How many transactions of the account are mined, or pending too."""
        return _integer(self.ask("eth_getTransactionCount", account, tag), "a nonce")

    def balance(self, account: str) -> int:
        """In wei."""
        return _integer(self.ask("eth_getBalance", account, "latest"), "a balance")

    def receipt(self, transaction_hash: str) -> dict[str, Any] | None:
        """A receipt, None while it is not mined."""
        found: dict[str, Any] | None = self.ask("eth_getTransactionReceipt", transaction_hash)
        return found

    def knows(self, transaction_hash: str) -> bool:
        """Whether it has the transaction, mined or not."""
        return self.ask("eth_getTransactionByHash", transaction_hash) is not None

    def call(self, request: Mapping[str, Any], tag: str = "latest") -> bytes:
        """What a call returns. Raises `Refused` with its reason."""
        return bytes(HexBytes(self.ask("eth_call", dict(request), tag)))

    def calls(self, requests: Sequence[Mapping[str, Any]], tag: str) -> list[bytes | Refused]:
        """What many calls return, each by itself."""
        answers = self.ask_all([("eth_call", [dict(one), tag]) for one in requests])
        return [one if isinstance(one, Refused) else bytes(HexBytes(one)) for one in answers]

    def gas(self, request: Mapping[str, Any], tag: str = "latest") -> int:
        """What it would use. Raises `Refused`."""
        return _integer(self.ask("eth_estimateGas", dict(request), tag), "gas")

    def simulate(
        self, requests: Sequence[Mapping[str, Any]], tag: str
    ) -> list[tuple[bytes, int] | None]:
        """Calls one after the other, each on what those before left: what it returned and its gas.

        None for one that fails, which leaves nothing. Raises `Refused` when the node cannot do it.
        """
        if not requests:
            return []
        calls = [dict(request) for request in requests]
        block = {"blockStateCalls": [{"calls": calls}], "validation": False}
        answer = self.ask("eth_simulateV1", block, tag)
        try:
            found = answer[0]["calls"]
            results = [
                (bytes(HexBytes(one["returnData"])), int(one["gasUsed"], 16))
                if one["status"] == "0x1"
                else None
                for one in found
            ]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise NodeError(f"{self.url} simulated {answer!r:.100}") from error
        if len(results) != len(calls):
            raise NodeError(f"{self.url} simulated {len(results)} of {len(calls)} calls")
        return results

    def logs(
        self, first: int, last: int, addresses: Sequence[str], topics: Sequence[Sequence[str]]
    ) -> list[dict[str, Any]]:
        """Logs of blocks `first` to `last`, both with."""
        query = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": list(addresses),
            "topics": [list(one) for one in topics],
        }
        found: list[dict[str, Any]] = self.ask("eth_getLogs", query)
        return found

    # Doubt

    def head(self, other: Node | None = None) -> Head:
        """The latest block, if it can be believed.

        Args:
            other: a second node to compare with.

        Raises:
            Distrusted: it stands still, lags, went back too far, or is on another chain.
            NodeError: no answer. Of a second node that does not answer nothing is asked.
        """
        chain_id = _integer(self.ask("eth_chainId"), "a chain id")
        self._chain_id = self._chain_id or chain_id
        if chain_id != self._chain_id:
            raise Distrusted(f"{self.url} was chain {self._chain_id} and is {chain_id} now")
        head, last, now = self.block(), self._last, self._clock()
        if last is None or head.hash != last.hash:
            if last is not None and head.number < last.number - self.trust.reorg_blocks:
                raise Distrusted(
                    f"{self.url} is at block {head.number} and was at {last.number} before"
                )
            self._last, self._moved_at = head, now
        if now - self._moved_at > self.trust.silent_seconds:
            raise Distrusted(
                f"{self.url} has stood at block {head.number} for {now - self._moved_at:.0f} s"
            )
        if (most := self.trust.clock_lag_seconds) is not None:
            lag = int(time.time()) - head.timestamp
            if lag > most:
                raise Distrusted(f"{self.url}: block {head.number} is {lag} s old")
        if other is not None:
            self._compare(head, other)
        return head

    def _compare(self, head: Head, other: Node) -> None:
        try:
            theirs = other.number()
            common = min(theirs, head.number) - self.trust.reorg_blocks
            other_hash = other.block(max(0, common)).hash
        except (NodeError, Refused):
            return
        if theirs > head.number + self.trust.lag_blocks:
            raise Distrusted(
                f"{self.url} is at block {head.number}, {theirs - head.number} behind {other.url}"
            )
        if self.block(max(0, common)).hash != other_hash:
            raise Distrusted(f"{self.url} and {other.url} are on different chains")


def _provider(url: str, timeout: float) -> JSONBaseProvider:
    if url.startswith(("http://", "https://")):
        return HTTPProvider(
            URI(url), request_kwargs={"timeout": timeout}, exception_retry_configuration=None
        )
    if url.startswith(("ws://", "wss://")):
        return LegacyWebSocketProvider(URI(url), websocket_timeout=int(timeout) or 1)
    return IPCProvider(url, timeout=int(timeout) or 1)


def _integer(answer: Any, what: str) -> int:
    try:
        return int(answer, 16)
    except (TypeError, ValueError) as error:
        raise NodeError(f"the node gave {answer!r:.60} for {what}") from error


def _reason(error: Any) -> str:
    """The reason string of a revert where there is one, else what the node says."""
    if not isinstance(error, Mapping):
        return str(error)
    message, data = str(error.get("message", error)), error.get("data")
    if error.get("code") == _REVERTED and isinstance(data, str) and data.startswith("0x08c379a0"):
        raw = bytes.fromhex(data[10:])
        length = int.from_bytes(raw[32:64], "big")
        return raw[64 : 64 + length].decode(errors="replace")
    return message
