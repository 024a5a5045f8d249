"""A chain under full control: blocks and time move only when told to."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

from relever.chain.abi import AbiEntry, Event, Interface, checksum, describe_revert, interface
from relever.chain.contract import Call, Contract, Ran, Receipt, Revert
from relever.chain.rpc import Request, Rpc, RpcError

# Anvil's gas estimation runs a call many times: a fixed limit costs nothing.
DEFAULT_GAS = 15_000_000

# JSON-RPC's code for a call that reverted.
_REVERTED = 3


_TOP_CALL = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
_CHANGES = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}


class Described(Protocol):
    """What `deploy` and `contract` need of an artifact."""

    @property
    def name(self) -> str: ...
    @property
    def abi(self) -> Sequence[AbiEntry]: ...
    @property
    def bytecode(self) -> bytes: ...


class Chain:
    """A client of one node that it alone drives."""

    def __init__(self, rpc: Rpc, accounts: list[str]) -> None:
        self._rpc = rpc
        self._known: dict[str, list[Interface]] = {}
        self.accounts = accounts

    @classmethod
    def connect(cls, url: str, timeout: float = 60.0) -> "Chain":
        """Connect to a running Anvil by its URL or socket; from then on it mines only when told to.

        Raises `RpcError` when there is no node at the address.
        """
        rpc = Rpc(url, timeout)
        accounts = rpc.call("eth_accounts")
        rpc.batch(
            [
                ("evm_setAutomine", (False,)),
                # Without this, block timestamps follow the wall clock and no run repeats.
                ("anvil_setBlockTimestampInterval", (0,)),
                # Else the node signs each transaction, which takes as long as all the rest.
                *(("anvil_impersonateAccount", (account,)) for account in accounts),
            ]
        )
        return cls(rpc, [checksum(account) for account in accounts])

    def close(self) -> None:
        """Close the connection. The node keeps running."""
        self._rpc.close()

    @cached_property
    def chain_id(self) -> int:
        """The node's; it is asked once."""
        return int(self._rpc.call("eth_chainId"), 16)

    def rpc(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Send any JSON-RPC request. Raises `RpcError`."""
        return self._rpc.call(method, *params)

    # Contracts

    def contract(self, address: Any, abi: Sequence[AbiEntry] | Described) -> Contract:
        """The contract at an address; its events and errors are decoded from now on."""
        address = checksum(getattr(address, "address", address))
        entries = abi if isinstance(abi, Sequence) else abi.abi
        label = address[:10] if isinstance(abi, Sequence) else abi.name
        prepared = interface(entries)
        known = self._known.setdefault(address, [])
        if prepared not in known:
            known.append(prepared)
        return Contract(self, address, prepared, label)

    def know(self, other: "Chain") -> None:
        """Decode errors and events by what another chain knows of the same contracts, too."""
        for address, interfaces in other._known.items():
            known = self._known.setdefault(address, [])
            known += [one for one in interfaces if one not in known]

    def deploy(
        self,
        artifact: Described,
        *args: Any,
        sender: Any = None,
        value: int = 0,
        gas: int | None = None,
    ) -> Contract:
        """Deploy and return the contract. Raises `Revert`; `TypeError` on wrong arguments."""
        prepared = interface(artifact.abi)
        constructor = prepared.constructor
        if len(args) != constructor.count:
            raise TypeError(
                f"{artifact.name} is deployed with {constructor.count} arguments "
                f"({', '.join(constructor.types)}), not {len(args)}"
            )
        data = artifact.bytecode + constructor.encode(args)
        account = self.accounts[0] if sender is None else getattr(sender, "address", sender)
        label = f"{artifact.name} deployment"
        receipt = self.send(Call(account, None, data, value, gas, label, errors=prepared))
        assert receipt.contract_address is not None
        return self.contract(receipt.contract_address, artifact)

    # Calls and transactions

    def read(self, call: Call) -> Any:
        """Run a call on the latest state, decoded. Raises `Revert`."""
        try:
            answer = self._rpc.call("eth_call", _request(call), "latest")
        except RpcError as error:
            raise self._call_error(call, error.code, str(error), error.data) from error
        return self._decoded(call, bytes.fromhex(answer[2:]))

    def read_batch(self, calls: Sequence[Call]) -> list[Any]:
        """Run many calls in one request. Raises `Revert` for the first that failed."""
        answers = self._rpc.batch_raw([("eth_call", (_request(c), "latest")) for c in calls])
        return [
            self._decoded(call, self._seen(call, answer))
            for call, answer in zip(calls, answers, strict=True)
        ]

    def send(self, call: Call) -> Receipt:
        """Send one transaction, mine it alone in a block. Raises `Revert`.

        Raises `RpcError` when the node refuses the transaction; the block is empty then.
        """
        # Mined by hand: when the node mines by itself, a transaction sent right after evm_revert
        # can get lost.
        sent, mined, found = self._rpc.sequence(
            [
                ("eth_sendTransaction", (_request(call),)),
                ("evm_mine", ()),
                ("eth_getBlockReceipts", ("latest",)),
            ]
        )
        if (error := sent.get("error")) is not None:
            raise self._refused(call, error)
        for answer in (mined, found):
            if (error := answer.get("error")) is not None:
                raise RpcError(f"{call.label} was not mined: {error['message']}", error["code"])
        in_block = [r for r in found["result"] if r["transactionHash"] == sent["result"]]
        receipt = self._receipt(in_block[0] if in_block else None, call)
        if not receipt.status:
            raise self._failure(call, receipt)
        return receipt

    def run(
        self,
        call: Call,
        logs: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
        changes: bool = False,
    ) -> Ran:
        """As `send`, but say what it returned or why it failed.

        Args:
            logs: whether to tell what was logged.
            meanwhile: is done while the node works.
            changes: whether to tell which storage it wrote.

        Raises `RpcError` when the node refuses the transaction.
        """
        requests: list[Request] = [
            ("eth_sendTransaction", (_request(call),)),
            ("evm_mine", ()),
            ("debug_traceBlockByNumber", ("latest", _TOP_CALL)),
        ]
        if changes:
            requests.append(("debug_traceBlockByNumber", ("latest", _CHANGES)))
        sent, *rest = self._rpc.sequence(requests, meanwhile)
        if (error := sent.get("error")) is not None:
            raise self._refused(call, error)
        for answer in rest:
            if (error := answer.get("error")) is not None:
                raise RpcError(f"{call.label} was not mined: {error['message']}", error["code"])
        trace = rest[1]["result"][0]["result"]
        written = _written(rest[2]["result"][0]["result"]) if changes else None
        if "error" in trace:
            return Ran(failed=self._reason(call, trace), changed=written)
        events: list[Event] = []
        if logs:
            (receipt,) = self._rpc.call("eth_getBlockReceipts", "latest")
            events = [self.decode_log(log) for log in receipt["logs"]]
        return Ran(bytes.fromhex(trace.get("output", "0x")[2:]), None, events, written)

    def ask(self, call: Call) -> bytes:
        """Run a call on the latest state; what it returns, as it is. Raises `Revert`."""
        return self._seen(call, self._rpc.batch_raw([("eth_call", (_request(call), "latest"))])[0])

    def _seen(self, call: Call, answer: dict[str, Any]) -> bytes:
        error = answer.get("error")
        if error is not None:
            raise self._call_error(call, error["code"], error["message"], error.get("data"))
        return bytes.fromhex(answer["result"][2:])

    def words(self, places: Sequence[tuple[str, int]]) -> list[int]:
        """Words of storage, by contract and slot."""
        asked: list[Request] = [
            ("eth_getStorageAt", (account, hex(slot), "latest")) for account, slot in places
        ]
        return [int(answer, 16) for answer in self._rpc.batch(asked)]

    def send_batch(self, calls: Sequence[Call], check: bool = True) -> list[Receipt]:
        """Send many transactions in one request and mine them in one block.

        One sender's keep their order. Between senders the node decides: `Receipt.index` tells.
        Raises `Revert` for the first that failed, unless `check` is False; the others stand.
        Raises `RpcError` when the node refuses one; nothing changes then.
        """
        senders = list({call.sender: None for call in calls})
        counts = self._rpc.batch([("eth_getTransactionCount", (s, "latest")) for s in senders])
        nonces = dict(zip(senders, (int(c, 16) for c in counts), strict=True))
        requests: list[Request] = []
        for call in calls:
            body = {**_request(call), "nonce": hex(nonces[call.sender])}
            nonces[call.sender] += 1
            requests.append(("eth_sendTransaction", (body,)))
        if not requests:
            return []
        sent = self._rpc.batch_raw(requests)
        for call, answer in zip(calls, sent, strict=True):
            if (error := answer.get("error")) is not None:
                self._rpc.call("anvil_dropAllTransactions")
                raise self._refused(call, error)
        self._rpc.call("evm_mine")
        found = self._rpc.batch([("eth_getTransactionReceipt", (s["result"],)) for s in sent])
        receipts = [self._receipt(a, call) for a, call in zip(found, calls, strict=True)]
        if check:
            for call, receipt in zip(calls, receipts, strict=True):
                if not receipt.status:
                    raise self._failure(call, receipt)
        return receipts

    # Time, blocks, state

    @property
    def block_number(self) -> int:
        """The latest block's number."""
        return int(self._rpc.call("eth_blockNumber"), 16)

    @property
    def timestamp(self) -> int:
        """The time, in seconds, that the next call and transaction see."""
        return int(self._rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def advance(self, seconds: int, blocks: int = 1) -> None:
        """Move time on by `seconds`, at once, in the first of `blocks` new blocks."""
        if seconds < 0 or blocks < 1:
            raise ValueError(f"time moves on only: {seconds} s in {blocks} blocks is impossible")
        moved = ("evm_setNextBlockTimestamp", (self.timestamp + seconds,))
        for answer in self._rpc.sequence([moved, ("anvil_mine", (hex(blocks),))]):
            if (error := answer.get("error")) is not None:
                raise RpcError(f"time did not move on: {error['message']}", error["code"])

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks, without moving time."""
        if blocks:
            self._rpc.call("anvil_mine", hex(blocks))

    def snapshot(self) -> str:
        """Remember state, time and block; give the result to `revert`, once."""
        identifier: str = self._rpc.call("evm_snapshot")
        return identifier

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot; it and every later one are used up.

        Raises `RpcError` when the snapshot is unknown or used up.
        """
        if self._rpc.call("evm_revert", snapshot) is not True:
            raise RpcError(f"snapshot {snapshot} is unknown or used up: take a new one")

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Undo, at the end, whatever the block of code did to the chain."""
        snapshot = self.snapshot()
        try:
            yield
        finally:
            self.revert(snapshot)

    def balance(self, account: Any) -> int:
        """An account's ether, in wei."""
        address = getattr(account, "address", account)
        return int(self._rpc.call("eth_getBalance", address, "latest"), 16)

    def set_balance(self, account: Any, wei: int) -> None:
        """Set an account's ether, in wei."""
        self._rpc.call("anvil_setBalance", getattr(account, "address", account), hex(wei))

    def set_code(self, address: str, code: bytes) -> None:
        """Put runtime code at an address."""
        self._rpc.call("anvil_setCode", address, "0x" + code.hex())

    def impersonate(self, account: Any) -> str:
        """Let transactions be sent from any address, a contract's too; returns it."""
        address = checksum(getattr(account, "address", account))
        self._rpc.call("anvil_impersonateAccount", address)
        return address

    # Decoding

    def decode_log(self, log: dict[str, Any]) -> Event:
        """A raw log as an event, by the ABIs known for its address."""
        address = checksum(log["address"])
        topics = log["topics"]
        data = bytes.fromhex(log["data"][2:])
        for known in self._known.get(address, ()):
            if (event := known.decode_log(topics, data, address)) is not None:
                return event
        return Event(None, {"topics": list(topics), "data": data}, address)

    def interfaces(self, call: Call | None = None) -> Iterator[Interface]:
        """The ABIs that may explain an error: that of a call's callee first, then all others.

        It may come from deeper down.
        """
        if call is not None and call.errors is not None:
            yield call.errors
        for known in self._known.values():
            yield from known

    def _decoded(self, call: Call, data: bytes) -> Any:
        if call.function is None:
            return data
        try:
            return call.function.decode(data)
        except Exception as error:
            raise RpcError(
                f"{call.label} returned 0x{data.hex():.130} that its ABI does not explain: "
                f"is {call.to} that contract?"
            ) from error

    def _call_error(self, call: Call, code: int, message: str, data: Any) -> Exception:
        if code == _REVERTED:
            raw = bytes.fromhex(data[2:]) if isinstance(data, str) else b""
            return Revert(call.label, describe_revert(raw, self.interfaces(call)), raw)
        halt = message.rpartition("EVM error ")[2]
        if halt != message:
            return Revert(call.label, halt_reason(halt))
        return RpcError(message, code, data)

    def _failure(self, call: Call, receipt: Receipt) -> Revert:
        # The trace is of the very execution that failed, so nothing is run again.
        trace = self._rpc.call("debug_traceTransaction", receipt.tx_hash, {"tracer": "callTracer"})
        data = bytes.fromhex(trace.get("output", "0x")[2:])
        return Revert(call.label, self._reason(call, trace), data, receipt)

    def _reason(self, call: Call, trace: dict[str, Any]) -> str:
        data = bytes.fromhex(trace.get("output", "0x")[2:])
        if not data and "revert" not in trace.get("error", "revert"):
            return halt_reason(trace["error"])
        return describe_revert(data, self.interfaces(call))

    def _refused(self, call: Call, error: dict[str, Any]) -> RpcError:
        why = error["message"]
        if "No Signer" in why:
            why = f"{call.sender} is locked: impersonate it first"
        return RpcError(f"{call.label} was not sent: {why}", error["code"])

    def _receipt(self, answer: dict[str, Any] | None, call: Call) -> Receipt:
        if answer is None:
            raise RpcError(
                f"{call.label} is not in the block mined for it: does something else "
                "drive this node? Give each chain a node of its own"
            )
        created = answer.get("contractAddress")
        return Receipt(
            tx_hash=answer["transactionHash"],
            gas_used=int(answer["gasUsed"], 16),
            block_number=int(answer["blockNumber"], 16),
            timestamp=_number(answer["blockTimestamp"]),
            status=answer["status"] == "0x1",
            index=int(answer["transactionIndex"], 16),
            contract_address=checksum(created) if created else None,
            logs=answer["logs"],
            _chain=self,
        )


def halt_reason(words: str) -> str:
    """What an execution that halted is said to have failed of."""
    # Calls and traces name the same halt differently: one word for each.
    plain = words.lower().replace(" ", "")
    if "outofgas" in plain or plain.endswith("oog"):
        return "out of gas"
    return "invalid opcode" if plain.startswith("invalid") else words


def _written(difference: dict[str, Any]) -> dict[tuple[str, int], int]:
    """The words that a state difference says were written; one that was cleared is only before."""
    written = {
        (checksum(account), int(slot, 16)): 0
        for account, state in difference["pre"].items()
        for slot in state.get("storage", ())
    }
    for account, state in difference["post"].items():
        for slot, value in state.get("storage", {}).items():
            written[checksum(account), int(slot, 16)] = int(value, 16)
    return written


def _number(value: str | int) -> int:
    return value if isinstance(value, int) else int(value, 16)


def _request(call: Call) -> dict[str, str]:
    body = {
        "from": call.sender,
        "data": "0x" + call.data.hex(),
        "gas": hex(call.gas or DEFAULT_GAS),
        "gasPrice": "0x0",
    }
    if call.to is not None:
        body["to"] = call.to
    if call.value:
        body["value"] = hex(call.value)
    return body
