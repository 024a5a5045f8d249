"""What the accounts of a local node sign: their keys come from its well-known words.

The fuzzer signs several messages an example, so what never changes in one is hashed once:
`encode_typed_data`, whose every answer this equals, takes half a millisecond a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

import relever.orders
from relever.chain import Chain, Contract

_WORDS = "test test test test test test test test test test test junk"
_AUTHORIZATION = {
    "owner": "address",
    "manager": "address",
    "authorized": "bool",
    "nonce": "uint256",
    "deadline": "uint256",
}
_PERMIT = {
    "owner": "address",
    "spender": "address",
    "value": "uint256",
    "nonce": "uint256",
    "deadline": "uint256",
}


def authorization(chain: Chain, market: Contract, signer: str, *message: Any) -> bytes:
    """Of a manager, in the order of the market's arguments."""
    said = authorization_message(chain.chain_id, market.address, message)
    return bytes(account(chain, signer).sign_message(said).signature)


def authorization_message(chain_id: int, market: str, message: Sequence[Any]) -> SignableMessage:
    """What is signed for that."""
    domain = {"chainId": chain_id, "verifyingContract": market}
    return typed(domain, "Authorization", _AUTHORIZATION, message)


def permit(
    chain: Chain, domain: dict[str, Any], signer: str, *message: Any
) -> tuple[int, bytes, bytes]:
    """Of a spender: owner, spender, value, nonce, deadline. Returns v, r and s."""
    signed = signature(chain, signer, domain, "Permit", _PERMIT, *message)
    return signed[64], signed[:32], signed[32:64]


def permit_domain(token: Contract) -> dict[str, Any]:
    """A token's, without the chain's id."""
    return {"name": token.name(), "version": "1", "verifyingContract": token.address}


def signature(
    chain: Chain,
    signer: str,
    domain: dict[str, Any],
    kind: str,
    fields: dict[str, str],
    *message: Any,
) -> bytes:
    """Of any typed message, its values in the order of its fields; r, s and v."""
    domain = {**domain, "chainId": chain.chain_id}
    said = typed(domain, kind, fields, message)
    return bytes(account(chain, signer).sign_message(said).signature)


def order(chain: Chain, orders: Contract, signer: str, message: Sequence[Any]) -> bytes:
    """An order, in the order of the contract's fields, whatever its terms."""
    domain = {"verifyingContract": orders.address}
    return signature(chain, signer, domain, "Order", relever.orders.FIELDS, *message)


def typed(
    domain: dict[str, Any], kind: str, fields: dict[str, str], message: Sequence[Any]
) -> SignableMessage:
    """An EIP-712 message, its values in the order of its fields, each of which fits a word."""
    header, type_hash = _frame(kind, tuple(fields.items()), **domain)
    return SignableMessage(b"\x01", header, keccak(type_hash + encode([*fields.values()], message)))


@cache
def _frame(kind: str, fields: tuple[tuple[str, str], ...], **domain: Any) -> tuple[bytes, bytes]:
    """What is the same in all messages of a kind: the domain's hash and the type's."""
    type_hash = keccak(text=f"{kind}({','.join(f'{type_} {name}' for name, type_ in fields)})")
    return encode_typed_data(domain, {"Empty": []}, {}).header, type_hash


def account(chain: Chain, address: str) -> Any:
    """The key of one of the node's own accounts."""
    return _account(chain.accounts.index(address))


@cache
def _account(place: int) -> Any:
    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(_WORDS, account_path=f"m/44'/60'/0'/0/{place}")
