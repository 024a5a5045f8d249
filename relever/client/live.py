"""A chain that others use too: transactions are signed here, sent, and waited for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from relever.chain import Call, Chain, Event, Receipt, Revert, RpcError
from relever.chain.abi import describe_revert
from relever.chain.rpc import Rpc

_NOBODY = "0x0000000000000000000000000000000000000000"
_POLL_SECONDS = 0.25
# What a node is said to want when it does not say: a gwei.
_TIP = 10**9


class ClientError(Exception):
    """Something that was given, or that the node says, does not do; says what to do."""


class Live(Chain):
    """A node whose blocks and time nobody here drives, and an account that signs.

    Args:
        wait_seconds: for a transaction to be mined.
    """

    def __init__(self, rpc: Rpc, account: LocalAccount | None, wait_seconds: float = 180.0) -> None:
        super().__init__(rpc, [account.address if account else _NOBODY])
        self._account = account
        self._wait_seconds = wait_seconds

    @classmethod
    def at(cls, url: str, account: LocalAccount | None = None) -> Live:
        """A running node by its address; nothing is changed there. Raises `ClientError`."""
        try:
            chain = cls(Rpc(url), account)
            _ = chain.chain_id
        except RpcError as error:
            raise ClientError(
                f"there is no node to talk to at {url} ({error}): start it, or give another address"
            ) from error
        return chain

    def simulate(self, calls: Sequence[Call]) -> list[list[Event]]:
        """Run calls one after the other on the latest state, in its time; nothing is sent.

        Returns:
            What each logged.

        Raises:
            Revert: the first that fails.
            RpcError: the node cannot simulate.
        """
        bodies = [_body(call) for call in calls]
        block = {"blockStateCalls": [{"blockOverrides": self._next(), "calls": bodies}]}
        (answer,) = self.rpc("eth_simulateV1", [block, "latest"])
        found = []
        for call, ran in zip(calls, answer["calls"], strict=True):
            if ran["status"] != "0x1":
                data = HexBytes(ran["returnData"]) or HexBytes(ran["error"].get("data") or "0x")
                reason = describe_revert(bytes(data), self.interfaces(call))
                raise Revert(call.label, reason or ran["error"]["message"], bytes(data))
            found.append([self.decode_log(log) for log in ran["logs"]])
        return found

    def send(self, call: Call) -> Receipt:
        """Sign, send and wait until it is mined.

        Raises:
            Revert: it would fail, and was not sent; or it was mined and failed.
            ClientError: there is no account, or it is not mined in time.
            RpcError: the node refuses it.
        """
        if self._account is None:
            raise ClientError("there is no account to sign with: give one")
        gas = self._gas(call)
        tip = self._tip()
        head = self.rpc("eth_getBlockByNumber", ["latest", False])
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self.chain_id,
                "nonce": int(
                    self.rpc("eth_getTransactionCount", [self._account.address, "pending"]), 16
                ),
                "to": to_checksum_address(call.to or _NOBODY),
                "data": HexBytes(call.data),
                "value": call.value,
                "gas": gas,
                "maxFeePerGas": 2 * int(head.get("baseFeePerGas", "0x0"), 16) + tip,
                "maxPriorityFeePerGas": tip,
            }
        )
        sent: str = self.rpc(
            "eth_sendRawTransaction", [HexBytes(signed.raw_transaction).to_0x_hex()]
        )
        return self._wait(call, sent)

    def _next(self) -> dict[str, str]:
        """The time of the block that the next transaction comes into, as the node sees it."""
        pending = self.rpc("eth_getBlockByNumber", ["pending", False])
        return {"time": pending["timestamp"]}

    def _gas(self, call: Call) -> int:
        try:
            estimate = int(self.rpc("eth_estimateGas", [_body(call)]), 16)
        except RpcError as error:
            raise self._call_error(call, error.code, str(error), error.data) from error
        # State may change until it is mined, and some parts keep a reserve.
        return estimate * 5 // 4

    def _tip(self) -> int:
        try:
            return int(self.rpc("eth_maxPriorityFeePerGas"), 16)
        except RpcError:
            # Older nodes do not say.
            return _TIP

    def _wait(self, call: Call, sent: str) -> Receipt:
        until = time.monotonic() + self._wait_seconds
        while (answer := self.rpc("eth_getTransactionReceipt", [sent])) is None:
            if time.monotonic() > until:
                raise ClientError(
                    f"{call.label} was sent as {sent} and is not mined after "
                    f"{self._wait_seconds:.0f} s: it may still be; look there before sending again"
                )
            time.sleep(_POLL_SECONDS)
        number = answer["blockNumber"]
        block = self.rpc("eth_getBlockByNumber", [number, False])
        receipt = self._receipt({**answer, "blockTimestamp": block["timestamp"]}, call)
        if not receipt.status:
            try:
                self.rpc("eth_call", [_body(call), number])
                reason = "something changed before it was mined"
            except RpcError as error:
                failed = self._call_error(call, error.code, str(error), error.data)
                reason = failed.reason if isinstance(failed, Revert) else str(failed)
            raise Revert(call.label, reason, receipt=receipt)
        return receipt


def _body(call: Call) -> dict[str, Any]:
    return {
        "from": call.sender,
        "to": call.to,
        "data": "0x" + call.data.hex(),
        "value": hex(call.value),
    }
