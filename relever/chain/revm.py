"""A chain in this process, forked from a node: the same state and calls, without the node's work.

Blocks are numbers here: nothing is signed, pooled or mined. A transaction costs what the EVM needs
for it, some tenth of what it costs on a node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Any

import pyrevm

from relever.chain.abi import Event, describe_revert
from relever.chain.chain import DEFAULT_GAS, Chain, halt_reason
from relever.chain.contract import Call, Ran, Revert
from relever.chain.rpc import RpcError

# Does not move codes about: from where the copies of codes are deployed.
_LOADER = "0x00000000000000000000000000000000000010ad"
_FORK = "PRAGUE"
_REVERTED, _HALTED = "Revert {", "Halt {"


class Revm:
    """The state of a node's latest block, to go on from; the node is only read.

    The same names as in `Chain` mean the same; what is not here is not needed by who uses this.
    """

    def __init__(self, chain: Chain, url: str, visit: Callable[[Revm], None] | None = None) -> None:
        """Fork a node.

        Args:
            chain: the node's client, for what it knows of contracts.
            url: the node's.
            visit: calls whatever will be called later. The EVM looks through a code that it has
                from a node each time it is entered, which takes most of all its time; codes that
                `visit` came by are put in so that it needs not.
        """
        self._chain, self._url = chain, url
        # What stood at first where code was put.
        self._replaced: dict[str, Any] = {}
        self.accounts = chain.accounts
        self._evm = self._fork()
        if visit is not None:
            visit(self)
            # What makes contracts has a nonce that a copy has not.
            codes = {
                at: found.code
                for at, found in self._evm.db_accounts.items()
                if found.code and found.nonce == 1
            }
            self._evm = self._fork()
            self._put(codes)

    def _fork(self) -> Any:
        self.block_number, self.timestamp = self._chain.block_number, self._chain.timestamp
        settings = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=self._chain.chain_id))
        evm = pyrevm.EVM(settings, fork_url=self._url, spec_id=_FORK)
        self._set_block(evm)
        return evm

    def _put(self, codes: dict[str, bytes]) -> None:
        """Deploy a copy of each code, and give the account that copy."""
        for account, code in codes.items():
            balance = self._evm.get_balance(account)
            length = len(code).to_bytes(3, "big")
            # PUSH3 length, DUP1, PUSH1 11, PUSH0, CODECOPY, PUSH0, RETURN.
            loader = b"\x62" + length + bytes.fromhex("80600b5f395ff3")
            copy = self._evm.deploy(_LOADER, loader + code)
            self._evm.insert_account_info(account, self._evm.basic(copy))
            self._evm.set_balance(account, balance)

    # Calls and transactions

    def read(self, call: Call) -> Any:
        """Run a call on the latest state, decoded. Raises `Revert`."""
        answer = self.ask(call)
        return answer if call.function is None else call.function.decode(answer)

    def read_batch(self, calls: Sequence[Call]) -> list[Any]:
        """Run many calls. Raises `Revert` for the first that failed."""
        return [self.read(call) for call in calls]

    def ask(self, call: Call) -> bytes:
        """Run a call on the latest state; what it returns, as it is. Raises `Revert`."""
        try:
            return self._call(call, static=True)
        except RuntimeError as error:
            raise Revert(call.label, self._reason(call, str(error))) from error

    def run(
        self,
        call: Call,
        logs: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
        changes: bool = False,
    ) -> Ran:
        """A transaction in a block of its own: what it returned, or why it failed.

        Args:
            logs: whether to tell what was logged.
            meanwhile: is done too.
            changes: is not known here.
        """
        meanwhile()
        self.block_number += 1
        self._set_block(self._evm)
        try:
            output = self._call(call, static=False)
        except RuntimeError as error:
            return Ran(failed=self._reason(call, str(error)))
        return Ran(output, None, self._events() if logs else [])

    def _events(self) -> list[Event]:
        """What the last transaction logged."""
        return [
            self._chain.decode_log(
                {"address": log.address, "topics": log.topics, "data": "0x" + log.data[1].hex()}
            )
            for log in self._evm.result.logs
        ]

    def _call(self, call: Call, static: bool) -> bytes:
        try:
            answer: bytes = self._evm.message_call(
                call.sender, call.to, call.data, call.value, call.gas or DEFAULT_GAS, 0, static
            )
        finally:
            self._evm.reset_transient_storage()
        return answer

    def _reason(self, call: Call, said: str) -> str:
        if said.startswith(_REVERTED):
            data = bytes.fromhex(said[said.index("output: 0x") + 10 : -2])
            return describe_revert(data, self._chain.interfaces(call))
        if said.startswith(_HALTED):
            return halt_reason(said[said.index("reason: ") + 8 : said.index(",")])
        raise RpcError(f"{call.label} was not run: {said}")

    # Time, blocks, state

    def advance(self, seconds: int, blocks: int = 1) -> None:
        """Move time on by `seconds`, at once, in the first of `blocks` new blocks."""
        self.timestamp += seconds
        self.block_number += blocks
        self._set_block(self._evm)

    def _set_block(self, evm: Any) -> None:
        evm.set_block_env(
            pyrevm.BlockEnv(
                number=self.block_number,
                timestamp=self.timestamp,
                basefee=0,
                gas_limit=2 * DEFAULT_GAS,
            )
        )

    def snapshot(self) -> tuple[Any, int, int, dict[str, Any]]:
        """Remember state, time and block; give the result to `revert`, once."""
        put = {address: self._evm.basic(address) for address in self._replaced}
        return self._evm.snapshot(), self.block_number, self.timestamp, put

    def revert(self, snapshot: tuple[Any, int, int, dict[str, Any]]) -> None:
        """Go back to a snapshot, and to the codes that were there."""
        checkpoint, self.block_number, self.timestamp, put = snapshot
        self._evm.revert(checkpoint)
        for address, info in self._replaced.items():
            self._evm.insert_account_info(address, put.get(address, info))
        self._replaced = {address: self._replaced[address] for address in put}
        self._set_block(self._evm)

    def words(self, places: Sequence[tuple[str, int]]) -> list[int]:
        """Words of storage, by contract and slot."""
        return list(starmap(self._evm.storage, places))

    def balance(self, account: str) -> int:
        """An account's ether, in wei."""
        found: int = self._evm.get_balance(account)
        return found

    def impersonate(self, account: str) -> str:
        """Transactions may be sent from any address here; returns it."""
        return account

    def set_code(self, address: str, code: bytes) -> None:
        """Put runtime code at an address."""
        self._replaced.setdefault(address, self._evm.basic(address))
        self._evm.insert_account_info(address, pyrevm.AccountInfo(nonce=1, code=code))
