"""A deployment as a keeper sees it: addresses, calls and logs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.address import is_address, to_checksum_address

from relever.artifacts import artifact
from relever.chain.abi import Event, Function, Interface, interface
from relever.keeper.node import Node, NodeError

# What must be in the file, and each contract's name.
NEEDED = {
    "vault": "LRTVault",
    "queue": "WithdrawalQueue",
    "oracle": "OracleAdapter",
    "factory": "MarketFactory",
    "liquidator": "Liquidator",
    "lens": "Lens",
}
# What an older deployment may lack.
OPTIONAL = {"orders": "StopOrders", "backstop": "BackstopPool", "rebalancer": "Rebalancer"}
_MARKET, _ORACLE, _TOKEN = "LendingMarket", "OracleAdapter", "LeveragedToken"


class DeploymentError(ValueError):
    """The file of addresses is not one, or the chain does not have what it says."""


@dataclass(frozen=True)
class Request:
    """A call of one of the suite's functions: to whom, with what, and how to read the answer."""

    to: str
    data: bytes
    function: Function

    def body(self, sender: str | None = None) -> dict[str, str]:
        """As JSON-RPC takes it."""
        body = {"to": self.to, "data": "0x" + self.data.hex()}
        return body if sender is None else {"from": sender, **body}

    def with_last(self, word: int) -> Request:
        """The same with another last argument; all of them are words."""
        return Request(self.to, self.data[:-32] + word.to_bytes(32, "big"), self.function)


class Suite:
    """Addresses of one deployment, and its markets' oracles once they are known."""

    def __init__(self, addresses: Mapping[str, str], start_block: int = 0) -> None:
        for name in NEEDED:
            if not is_address(addresses.get(name, "")):
                raise DeploymentError(f"the deployment has no address for {name}: add it")
        for name, address in addresses.items():
            if not is_address(address):
                raise DeploymentError(f"{name} is no address: {address!r:.60}")
        kinds = {**NEEDED, **{name: kind for name, kind in OPTIONAL.items() if name in addresses}}
        self.addresses = {name: to_checksum_address(addresses[name]) for name in kinds}
        self.start_block = start_block
        self._known: dict[str, Interface] = {
            address: _abi(kinds[name]) for name, address in self.addresses.items()
        }
        # The leveraged tokens that the rebalancer serves, by name; known once the node was asked.
        self.tokens: dict[str, str] = {}
        self._others: dict[str, str] = {
            str(name): to_checksum_address(address)
            for name, address in addresses.items()
            if name not in kinds
        }

    @classmethod
    def load(cls, path: Path) -> Suite:
        """From a JSON file: the addresses by name, or a record with them under "addresses".

        A record may say in "start_block" before which block nothing needs to be read. Raises
        `DeploymentError`.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DeploymentError(f"{path} cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise DeploymentError(f"{path} holds no addresses by name")
        addresses = found.get("addresses", found)
        start = found.get("start_block", 0)
        if not isinstance(addresses, dict) or not isinstance(start, int):
            raise DeploymentError(f"{path}: addresses by name, and a number as start_block")
        return cls(addresses, start)

    def check(self, node: Node) -> None:
        """Raises `DeploymentError` when an address holds no code."""
        for name, address in self.addresses.items():
            if node.ask("eth_getCode", address, "latest") in ("0x", None):
                raise DeploymentError(
                    f"{name} at {address} holds no code: is {node.url} the right chain?"
                )

    def find_tokens(self, node: Node) -> None:
        """Which of the file's other addresses are leveraged tokens. Raises `NodeError`."""
        if "rebalancer" in self.addresses:
            self.tokens = {
                name: address
                for name, address in self._others.items()
                if self.read(node, self.request("rebalancer", "serves", address))
            }

    def token(self, address: str, function: str, *args: Any) -> Request:
        """A call of a leveraged token."""
        self._known.setdefault(address, _abi(_TOKEN))
        return self._request(address, function, args)

    def request(self, name: str, function: str, *args: Any) -> Request:
        """A call of a contract by its name here."""
        return self._request(self.addresses[name], function, args)

    def market(self, address: str, function: str, *args: Any) -> Request:
        """A call of a market."""
        self._known.setdefault(address, _abi(_MARKET))
        return self._request(address, function, args)

    def oracle(self, address: str, function: str, *args: Any) -> Request:
        """A call of a market's oracle."""
        self._known.setdefault(address, _abi(_ORACLE))
        return self._request(address, function, args)

    def read(self, node: Node, request: Request, tag: str = "latest") -> Any:
        """Call and decode. Raises `Refused` when it reverts, `NodeError` without an answer."""
        answer = node.call(request.body(), tag)
        return decoded(request, answer)

    def events(self, logs: list[dict[str, Any]]) -> Iterator[tuple[int, Event]]:
        """The block and event of each log of a contract that is known."""
        for log in logs:
            address = to_checksum_address(log["address"])
            known = self._known.get(address)
            data = bytes.fromhex(log["data"][2:])
            event = known.decode_log(log["topics"], data, address) if known else None
            if event is not None:
                yield int(log["blockNumber"], 16), event

    def profit(self, logs: list[dict[str, Any]]) -> int:
        """What was paid to the caller by these logs, in wei of WETH."""
        paid = {"LiquidatedFor": "profit", "OrderExecuted": "fee", "Taken": "profit"}
        # Where leverage rises, what is left is LRT.
        found = [event for _, event in self.events(logs) if event.args.get("lowers", True)]
        return sum(one.args[paid[one.name]] for one in found if one.name in paid)

    def again(self, call: Mapping[str, str]) -> Request:
        """A call as JSON-RPC had it. Raises `KeyError` when it is none of the deployment's."""
        data = bytes.fromhex(call["data"][2:])
        functions = self._known[to_checksum_address(call["to"])].functions.values()
        every = {one.selector: one for overloads in functions for one in overloads}
        return Request(call["to"], data, every[data[:4]])

    def _request(self, address: str, function: str, args: tuple[Any, ...]) -> Request:
        overloads = self._known[address].functions[function]
        fit = next(one for one in overloads if one.count == len(args))
        return Request(address, fit.encode(args), fit)


def decoded(request: Request, answer: bytes) -> Any:
    """What a call returned. Raises `NodeError` for what its ABI does not explain."""
    try:
        return request.function.decode(answer)
    except Exception as error:
        raise NodeError(f"{request.function.name} returned 0x{answer.hex():.80}") from error


def topic(contract: str, event: str) -> str:
    """The first topic of an event of one of the suite's contracts, by their names."""
    kinds = _abi(contract).events.items()
    return next(first for (first, _), kind in kinds if kind.name == event)


def _abi(contract: str) -> Interface:
    return interface(artifact(contract).abi)
