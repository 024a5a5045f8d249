"""Stop orders: make them, sign them, hand them on as text, and read them.

An order is executed by `StopOrders`, by anyone, once it is due. Amounts are in the smallest units
of LRT and WETH, prices in WETH per LRT scaled by 1e36, ratios in WAD, times in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from enum import IntEnum
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.base import BaseAccount
from eth_utils.address import is_checksum_address

WAD = 10**18
UNLIMITED = 2**256 - 1
# What the contract takes for terms at most.
MAX_HEALTH, MAX_FEE = 100 * WAD, 2**96
_DOMAIN = {"chainId": "uint256", "verifyingContract": "address"}


class Kind(IntEnum):
    """What makes an order due, and what it does then."""

    # The market oracle's price is at or below the trigger.
    STOP_LOSS = 1
    # It is at or above the trigger.
    TAKE_PROFIT = 2
    # Health is at or below the trigger: sells what restores the target.
    DELEVERAGE = 4


@dataclass(frozen=True)
class Order:
    """What an owner signs; `IStopOrders.Order` says what each field means.

    Raises:
        ValueError: the contract would refuse these terms, whatever happens.
    """

    owner: str
    market: str
    kind: Kind
    trigger: int
    target_health: int
    amount: int
    max_loss: int
    fee: int
    epoch: int
    nonce: int
    deadline: int

    def __post_init__(self) -> None:
        for name, kind in FIELDS.items():
            value = getattr(self, name)
            if kind == "address":
                if not is_checksum_address(value):
                    raise ValueError(f"{name} {value!r} is no address with a checksum")
            elif not 0 <= value <= UNLIMITED:
                raise ValueError(f"{name} {value} does not fit 256 bits")
        if self.amount == 0:
            raise ValueError("amount is 0: say how much collateral to sell at most")
        if self.max_loss >= WAD:
            raise ValueError(f"max_loss {self.max_loss} is all or more: it is a part in WAD")
        if self.fee > MAX_FEE:
            raise ValueError(f"fee {self.fee} is above {MAX_FEE}: it is an amount of WETH in wei")
        deleverages = self.kind == Kind.DELEVERAGE
        if deleverages and not self.trigger < self.target_health <= MAX_HEALTH:
            raise ValueError("a deleverage needs a target_health above its trigger, up to 100 WAD")
        if not deleverages and self.target_health:
            raise ValueError("target_health is for a deleverage alone: make it 0")

    @property
    def values(self) -> tuple[Any, ...]:
        """As `StopOrders` takes it."""
        return astuple(self)

    def typed(self, chain_id: int, contract: str) -> SignableMessage:
        """The EIP-712 message for the `StopOrders` at that address."""
        message = {**dict(zip(FIELDS, self.values, strict=True)), "kind": int(self.kind)}
        return typed(message, chain_id, contract)

    def sign(self, chain_id: int, contract: str, account: BaseAccount) -> SignedOrder:
        """Signed by its owner's key.

        Raises:
            ValueError: the account is not the owner. One that is a contract signs by itself.
        """
        if account.address != self.owner:
            raise ValueError(f"{account.address} cannot sign for the owner {self.owner}")
        signed = account.sign_message(self.typed(chain_id, contract))
        return SignedOrder(chain_id, contract, self, bytes(signed.signature))


@dataclass(frozen=True)
class SignedOrder:
    """An order with its owner's signature, for one chain and one `StopOrders` on it."""

    chain_id: int
    contract: str
    order: Order
    signature: bytes

    @property
    def signer(self) -> str:
        """Whose key has signed: the owner's, unless that is a contract.

        Raises:
            ValueError: these are not the bytes of a key's signature.
        """
        message = self.order.typed(self.chain_id, self.contract)
        try:
            found: str = Account.recover_message(message, signature=self.signature)
        except Exception as error:
            raise ValueError(f"the signature is of no key: {error}") from error
        return found

    def text(self) -> str:
        """As JSON; numbers are strings, since JSON keeps no large integers."""
        order = {
            name: value if isinstance(value, str) else str(int(value))
            for name, value in zip(FIELDS, self.order.values, strict=True)
        }
        said = {
            "chain_id": str(self.chain_id),
            "contract": self.contract,
            "order": order,
            "signature": "0x" + self.signature.hex(),
        }
        return json.dumps(said, indent=2)

    @classmethod
    def read(cls, text: str) -> SignedOrder:
        """What `text` wrote.

        Raises:
            ValueError: it is no such text, or the order's terms are none.
        """
        try:
            said = json.loads(text)
            plain = said["order"]
            unknown = set(plain) - set(FIELDS)
            if unknown:
                raise ValueError(f"the order has unknown fields: {sorted(unknown)}")
            values: dict[str, Any] = {
                name: plain[name] if kind == "address" else int(plain[name])
                for name, kind in FIELDS.items()
            }
            order = Order(**{**values, "kind": Kind(values["kind"])})
            signature = bytes.fromhex(said["signature"].removeprefix("0x"))
            return cls(int(said["chain_id"]), said["contract"], order, signature)
        except KeyError as error:
            raise ValueError(f"the signed order has no {error}") from None
        except (AttributeError, TypeError) as error:
            raise ValueError(f"this is no signed order: {error}") from error


def typed(message: Mapping[str, Any], chain_id: int, contract: str) -> SignableMessage:
    """The EIP-712 message of an order's fields by name, whatever they say."""

    def of(kinds: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "type": kind} for name, kind in kinds.items()]

    return encode_typed_data(
        full_message={
            "types": {"EIP712Domain": of(_DOMAIN), "Order": of(FIELDS)},
            "domain": {"chainId": chain_id, "verifyingContract": contract},
            "primaryType": "Order",
            "message": dict(message),
        }
    )


# Names and types, in the contract's order, which is what is hashed.
FIELDS = {
    field.name: "address" if field.name in ("owner", "market") else "uint256"
    for field in fields(Order)
}
