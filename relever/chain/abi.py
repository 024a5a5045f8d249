"""Contract ABIs: codecs prepared once per function, event and error."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from keyword import iskeyword
from typing import Any

from eth_abi.decoding import ContextFramesBytesIO, TupleDecoder
from eth_abi.encoding import TupleEncoder
from eth_abi.registry import registry
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

AbiEntry = Mapping[str, Any]

# eth_abi leaves these constructors untyped.
_make_encoder: Any = TupleEncoder
_make_decoder: Any = TupleDecoder
_make_stream: Any = ContextFramesBytesIO

# Checking an address takes a hash, and the same few come again and again.
_encode_address = lru_cache(maxsize=65_536)(registry.get_encoder("address"))


def _encoder(kind: str) -> Any:
    return _encode_address if kind == "address" else registry.get_encoder(kind)


_encode_checked = registry.get_encoder("uint256")


def _encode_uint256(value: Any) -> bytes:
    """As eth_abi does it, without its checks where there is nothing to check."""
    if type(value) is int and 0 <= value < 2**256:
        return value.to_bytes(32, "big")
    encoded: bytes = _encode_checked(value)
    return encoded


def _word_encoder(kind: str) -> Any:
    return _encode_uint256 if kind == "uint256" else _encoder(kind)


# What a word says, by the first letters of its type.
_WORDS: dict[str, Callable[[bytes], Any]] = {
    "uint": lambda word: int.from_bytes(word, "big"),
    "int": lambda word: int.from_bytes(word, "big", signed=True),
    "address": lambda word: f"0x{word[12:].hex()}",
    "bool": lambda word: word[31] != 0,
}


def _word_decoders(kinds: Sequence[str]) -> list[Callable[[bytes], Any]] | None:
    """One for each, where all of them are words of a known kind."""
    found = [
        next(read for start, read in _WORDS.items() if kind.startswith(start))
        for kind in kinds
        if _is_word(kind) and kind.startswith(tuple(_WORDS))
    ]
    return found if len(found) == len(kinds) else None


checksum: Callable[[str], str] = lru_cache(maxsize=65_536)(to_checksum_address)


@dataclass(frozen=True)
class Event:
    """A decoded log. Equal by value, so whole lists compare.

    A log that no known ABI explains has `name` None and its raw `topics` and `data` in `args`.
    """

    name: str | None
    args: dict[str, Any]
    address: str


def type_name(entry: AbiEntry) -> str:
    """The canonical type of an ABI parameter: structs written as tuples."""
    kind: str = entry["type"]
    if kind.startswith("tuple"):
        return f"({','.join(map(type_name, entry['components']))}){kind[5:]}"
    return kind


def signature(entry: AbiEntry) -> str:
    """The full signature, as in `transfer(address,uint256)`."""
    return f"{entry['name']}({','.join(map(type_name, entry['inputs']))})"


@cache
def _record(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name or "Record", fields)


def _field_names(entries: Sequence[AbiEntry]) -> tuple[str, ...]:
    names: list[str] = []
    for i, entry in enumerate(entries):
        name = (entry.get("name") or "").lstrip("_") or f"item{i}"
        if iskeyword(name):
            name += "_"
        names.append(name if name not in names else f"{name}{i}")
    return tuple(names)


def _struct_name(entry: AbiEntry) -> str:
    words = str(entry.get("internalType") or "Record").split(" ")[-1].split(".")[-1]
    name = words.split("[")[0]
    return name if name.isidentifier() and not iskeyword(name) else "Record"


Converter = Callable[[Any], Any]


def _inward(entry: AbiEntry) -> Converter:
    """From what callers write to what the codec takes."""
    kind: str = entry["type"]
    if kind.endswith("]"):
        item = _inward({**entry, "type": kind[: kind.rindex("[")]})
        return lambda values: [item(value) for value in values]
    if kind == "tuple":
        parts = entry["components"]
        names = [part["name"] for part in parts]
        items = [_inward(part) for part in parts]

        def struct(value: Any) -> tuple[Any, ...]:
            if isinstance(value, Mapping):
                value = [value[name] for name in names]
            return tuple(item(v) for item, v in zip(items, value, strict=True))

        return struct
    if kind == "address":
        return lambda value: getattr(value, "address", value)
    if kind.startswith("bytes"):
        return lambda value: bytes.fromhex(value[2:]) if isinstance(value, str) else value
    return lambda value: value


def _outward(entry: AbiEntry) -> Converter | None:
    """From what the codec gives to what callers read; None when they are the same."""
    kind: str = entry["type"]
    if kind.endswith("]"):
        item = _outward({**entry, "type": kind[: kind.rindex("[")]})
        return list if item is None else lambda values: [item(value) for value in values]
    if kind == "tuple":
        return _outward_tuple(entry["components"], _struct_name(entry))
    return checksum if kind == "address" else None


def _outward_tuple(entries: Sequence[AbiEntry], name: str) -> Converter:
    record = _record(name, _field_names(entries))
    items = [_outward(entry) for entry in entries]
    return lambda values: record(
        *(v if item is None else item(v) for item, v in zip(items, values, strict=True))
    )


class _Values:
    """The codec of one list of parameters."""

    def __init__(self, entries: Sequence[AbiEntry]) -> None:
        self.count = len(entries)
        self.types = [type_name(entry) for entry in entries]
        self.names = _field_names(entries)
        self._in = [_inward(entry) for entry in entries]
        self._out = [_outward(entry) for entry in entries]
        # Looking codecs up by type costs more than using them, so it is done once.
        self._encoders = tuple(_encoder(kind) for kind in self.types)
        self._decoders = tuple(registry.get_decoder(kind, strict=False) for kind in self.types)
        # Plain words stand one after the other, and need no heads and tails.
        self._flat = all(_is_word(kind) for kind in self.types)
        self._word_encoders = [_word_encoder(kind) for kind in self.types]
        self._word_decoders = _word_decoders(self.types)
        self._encoder = _make_encoder(encoders=self._encoders)
        self._decoder = _make_decoder(decoders=self._decoders)

    def encode(self, values: Sequence[Any]) -> bytes:
        if len(values) != self.count:
            raise ValueError(f"{self.count} values are needed, {len(values)} are given")
        if not values:
            return b""
        plain = [convert(value) for convert, value in zip(self._in, values, strict=True)]
        if self._flat:
            return b"".join(
                [encode(v) for encode, v in zip(self._word_encoders, plain, strict=True)]
            )
        encoded: bytes = self._encoder(plain)
        return encoded

    def decode(self, data: bytes) -> tuple[Any, ...]:
        if self._word_decoders is not None and len(data) >= 32 * self.count:
            words = [read(data[32 * i : 32 * i + 32]) for i, read in enumerate(self._word_decoders)]
            return self._converted(words)
        stream = _make_stream(data)
        plain = (
            [decode(stream) for decode in self._decoders] if self._flat else self._decoder(stream)
        )
        return self._converted(plain)

    def _converted(self, plain: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            [
                value if convert is None else convert(value)
                for convert, value in zip(self._out, plain, strict=True)
            ]
        )


class Function:
    """One function of an ABI, with its selector and codecs."""

    def __init__(self, entry: AbiEntry) -> None:
        self.name: str = entry["name"]
        self.signature = signature(entry)
        self.selector = keccak(text=self.signature)[:4]
        self.reads = entry.get("stateMutability") in ("view", "pure")
        self._inputs = _Values(entry["inputs"])
        self.outputs: Sequence[AbiEntry] = entry.get("outputs") or []
        outputs = self.outputs
        self._outputs = _Values(outputs)
        named = len(outputs) > 1 and all(o.get("name") for o in outputs)
        self._record = _record("Result", self._outputs.names) if named else None

    @property
    def count(self) -> int:
        """How many arguments it takes."""
        return self._inputs.count

    def encode(self, args: Sequence[Any]) -> bytes:
        """Calldata. Raises `TypeError` when the arguments do not fit."""
        try:
            return self.selector + self._inputs.encode(args)
        except Exception as error:
            raise TypeError(f"{self.signature} does not take {tuple(args)!r}: {error}") from error

    def decode(self, data: bytes) -> Any:
        """The value returned: bare when single, a tuple when several, None when none."""
        values = self._outputs.decode(data)
        if len(values) == 1:
            return values[0]
        if not values:
            return None
        return values if self._record is None else self._record(*values)


class _LogType:
    def __init__(self, entry: AbiEntry) -> None:
        self.name: str = entry["name"]
        inputs = entry["inputs"]
        names = [i["name"] or f"arg{n}" for n, i in enumerate(inputs)]
        self._names = names
        self._topics = [
            (names[n], _Values([i]) if _is_word(i["type"]) else None)
            for n, i in enumerate(inputs)
            if i["indexed"]
        ]
        plain = [(names[n], i) for n, i in enumerate(inputs) if not i["indexed"]]
        self._plain_names = [name for name, _ in plain]
        self._plain = _Values([i for _, i in plain])

    def decode(self, topics: Sequence[str], data: bytes, address: str) -> Event:
        found = dict(zip(self._plain_names, self._plain.decode(data), strict=True))
        for (name, values), topic in zip(self._topics, topics[1:], strict=True):
            raw = bytes.fromhex(topic[2:])
            found[name] = raw if values is None else values.decode(raw)[0]
        return Event(self.name, {name: found[name] for name in self._names}, address)


def _is_word(kind: str) -> bool:
    return not (
        kind in ("string", "bytes") or kind.endswith("]") or kind.startswith(("tuple", "("))
    )


class _ErrorType:
    def __init__(self, entry: AbiEntry) -> None:
        self.name: str = entry["name"]
        self._inputs = _Values(entry["inputs"])

    def describe(self, data: bytes) -> str:
        return f"{self.name}({', '.join(map(str, self._inputs.decode(data)))})"


_STANDARD_ERRORS = [
    {"type": "error", "name": "Error", "inputs": [{"name": "reason", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
]


class Interface:
    """What an ABI says, prepared for use."""

    def __init__(self, abi: Iterable[AbiEntry]) -> None:
        self.functions: dict[str, list[Function]] = {}
        self.events: dict[tuple[str, int], _LogType] = {}
        self.errors: dict[bytes, _ErrorType] = {}
        self.constructor = _Values([])
        for entry in abi:
            match entry["type"]:
                case "function":
                    self.functions.setdefault(entry["name"], []).append(Function(entry))
                case "event" if not entry.get("anonymous"):
                    topic = "0x" + keccak(text=signature(entry)).hex()
                    indexed = sum(1 for i in entry["inputs"] if i["indexed"])
                    self.events[topic, indexed] = _LogType(entry)
                case "error":
                    self.errors[keccak(text=signature(entry))[:4]] = _ErrorType(entry)
                case "constructor":
                    self.constructor = _Values(entry["inputs"])

    def decode_log(self, topics: Sequence[str], data: bytes, address: str) -> Event | None:
        """The event, or None when this ABI does not know it."""
        if not topics:
            return None
        kind = self.events.get((topics[0], len(topics) - 1))
        return None if kind is None else kind.decode(topics, data, address)


_interfaces: dict[int, tuple[Any, Interface]] = {}


def interface(abi: Sequence[AbiEntry]) -> Interface:
    """The prepared form of an ABI, made once for each list object."""
    known = _interfaces.get(id(abi))
    if known is None:
        # The list is kept with its form, so its id is never given to another.
        known = _interfaces[id(abi)] = (abi, Interface(abi))
    return known[1]


_STANDARD = Interface(_STANDARD_ERRORS)


def describe_revert(data: bytes, known: Iterable[Interface]) -> str:
    """The reason that revert data carries, by the ABIs known, the most likely first."""
    if not data:
        return ""
    selector, rest = data[:4], data[4:]
    standard = _STANDARD.errors.get(selector)
    try:
        if standard is not None:
            value = standard._inputs.decode(rest)[0]
            return value if isinstance(value, str) else f"panic {value:#04x}"
        for one in known:
            if (error := one.errors.get(selector)) is not None:
                return error.describe(rest)
    except Exception:  # Foreign revert data may be anything: what does not decode is shown raw.
        return "0x" + data.hex()
    return "0x" + data.hex()
