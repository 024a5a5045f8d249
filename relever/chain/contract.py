"""Contracts at an address, their calls, receipts and reverts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from relever.chain.abi import Event, Function, Interface

if TYPE_CHECKING:
    from relever.chain.chain import Chain


class Revert(Exception):
    """A call or transaction failed in the EVM.

    `reason` is the reason string, a custom error as `name(args)`, "panic 0x11", "out of gas",
    raw hex of unknown data, or empty; `data` is the revert data; `receipt` the failed
    transaction's, None for a call.
    """

    def __init__(
        self, where: str, reason: str, data: bytes = b"", receipt: "Receipt | None" = None
    ) -> None:
        super().__init__(f"{where} reverted: {reason or 'no reason given'}")
        self.reason = reason
        self.data = data
        self.receipt = receipt


@dataclass(frozen=True)
class Call:
    """One call, ready to be sent: `to` None deploys. `value` in wei, `gas` None for the default.

    `function` decodes what it returns, `errors` what it reverts with.
    """

    sender: str
    to: str | None
    data: bytes
    value: int = 0
    gas: int | None = None
    label: str = "call"
    function: Function | None = None
    errors: Interface | None = None


@dataclass(frozen=True)
class Receipt:
    """What a mined transaction did.

    `timestamp` is its block's, in seconds; `index` its place in the block; `logs` are raw.
    """

    tx_hash: str
    gas_used: int
    block_number: int
    timestamp: int
    status: bool
    index: int
    contract_address: str | None
    logs: list[dict[str, Any]] = field(repr=False)
    _chain: "Chain" = field(repr=False, compare=False)

    @property
    def events(self) -> list[Event]:
        """Every log in order, decoded by the ABIs known for its address."""
        return [self._chain.decode_log(log) for log in self.logs]


@dataclass(frozen=True)
class Ran:
    """What came of a transaction: `output` is what it returned; or the reason why it failed.

    `events` is what was logged, where that was asked for; `changed` are the storage words that it
    wrote, by contract and slot, where that was asked for and is known.
    """

    output: bytes = b""
    failed: str | None = None
    events: Sequence[Event] = ()
    changed: Mapping[tuple[str, int], int] | None = None


class Method:
    """One function of one contract: call it, or one of `call`, `encode`, `build`."""

    __slots__ = ("_contract", "_name", "_overloads")

    def __init__(self, contract: "Contract", name: str, overloads: Sequence[Function]) -> None:
        self._contract = contract
        self._name = name
        self._overloads = overloads

    def __repr__(self) -> str:
        signatures = ", ".join(f.signature for f in self._overloads)
        return f"<{self._contract!r} {signatures}>"

    def of(self, count: int) -> Function:
        """The function of this name that takes so many arguments. Raises `TypeError`."""
        if len(self._overloads) == 1:
            return self._overloads[0]
        fit = [f for f in self._overloads if f.count == count]
        if len(fit) == 1:
            return fit[0]
        raise TypeError(
            f"{self._name} has {len(fit)} forms with {count} arguments: choose one by "
            f"fn(...) of {', '.join(f.signature for f in self._overloads)}"
        )

    def _pick(self, args: Sequence[Any]) -> Function:
        return self.of(len(args))

    def __call__(
        self, *args: Any, sender: Any = None, value: int = 0, gas: int | None = None
    ) -> Any:
        """Read (view and pure functions: the decoded value) or send and mine (a `Receipt`).

        Raises `Revert`.
        """
        call = self.build(*args, sender=sender, value=value, gas=gas)
        chain = self._contract._chain
        assert call.function is not None
        return chain.read(call) if call.function.reads else chain.send(call)

    def call(self, *args: Any, sender: Any = None, value: int = 0, gas: int | None = None) -> Any:
        """Run without changing state and return the decoded value. Raises `Revert`."""
        return self._contract._chain.read(self.build(*args, sender=sender, value=value, gas=gas))

    def encode(self, *args: Any) -> bytes:
        """The calldata."""
        return self._pick(args).encode(args)

    def build(self, *args: Any, sender: Any = None, value: int = 0, gas: int | None = None) -> Call:
        """The call, unsent: for `Chain.send_batch` and `Chain.read_batch`."""
        function = self._pick(args)
        contract = self._contract
        return Call(
            contract._chain.accounts[0] if sender is None else getattr(sender, "address", sender),
            contract.address,
            function.encode(args),
            value,
            gas,
            f"{contract._label}.{function.name}",
            function,
            contract._interface,
        )


class Contract:
    """A contract at an address: every function of its ABI is an attribute.

    A function that shares its name with an attribute here (`address`, `fn`) is reached by
    `fn("address()")`.
    """

    def __init__(self, chain: "Chain", address: str, interface: Interface, label: str) -> None:
        self.address = address
        self._chain = chain
        self._interface = interface
        self._label = label

    def __repr__(self) -> str:
        return f"{self._label}({self.address})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __getattr__(self, name: str) -> Method:
        interface: Interface | None = self.__dict__.get("_interface")
        overloads = interface.functions.get(name) if interface is not None else None
        if overloads is None:
            raise AttributeError(f"{self.__dict__.get('_label', 'contract')} has no {name}()")
        method = Method(self, name, overloads)
        self.__dict__[name] = method
        return method

    def build(
        self, function: Function, arguments: Sequence[Any], sender: str, value: int = 0
    ) -> Call:
        """The call of a function of its ABI, unsent."""
        return Call(
            sender,
            self.address,
            function.encode(arguments),
            value,
            None,
            f"{self._label}.{function.name}",
            function,
            self._interface,
        )

    def fn(self, signature: str) -> Method:
        """The function with this full signature, as in `deposit(uint256,address)`."""
        name = signature.partition("(")[0]
        for function in self._interface.functions.get(name, ()):
            if function.signature == signature:
                return Method(self, signature, [function])
        raise AttributeError(f"{self._label} has no {signature}")
