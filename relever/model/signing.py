"""What the accounts of a local node sign: their keys come from its well-known words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

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
_DOMAIN = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
}


def authorization(chain: Chain, market: Contract, signer: str, *message: Any) -> bytes:
    """Of a manager, in the order of the market's arguments."""
    said = authorization_message(_chain_id(chain), market.address, message)
    return bytes(account(chain, signer).sign_message(said).signature)


def authorization_message(chain_id: int, market: str, message: Sequence[Any]) -> SignableMessage:
    """What is signed for that."""
    domain = {"chainId": chain_id, "verifyingContract": market}
    said = dict(zip(_AUTHORIZATION, message, strict=True))
    return _typed(domain, "Authorization", _AUTHORIZATION, said)


def permit(chain: Chain, token: Contract, signer: str, *message: Any) -> tuple[int, bytes, bytes]:
    """Of a spender: owner, spender, value, nonce, deadline. Returns v, r and s."""
    domain = {
        "name": token.name(),
        "version": "1",
        "chainId": _chain_id(chain),
        "verifyingContract": token.address,
    }
    said = dict(zip(_PERMIT, message, strict=True))
    signed = account(chain, signer).sign_message(_typed(domain, "Permit", _PERMIT, said))
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def order(chain: Chain, orders: Contract, signer: str, message: Sequence[Any]) -> bytes:
    """An order, in the order of the contract's fields, whatever its terms."""
    said = dict(zip(relever.orders.FIELDS, message, strict=True))
    typed = relever.orders.typed(said, _chain_id(chain), orders.address)
    return bytes(account(chain, signer).sign_message(typed).signature)


def _typed(
    domain: dict[str, Any], kind: str, fields: dict[str, str], message: dict[str, Any]
) -> SignableMessage:
    def of(types: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "type": of_type} for name, of_type in types.items()]

    in_domain = {name: of_type for name, of_type in _DOMAIN.items() if name in domain}
    return encode_typed_data(
        full_message={
            "types": {"EIP712Domain": of(in_domain), kind: of(fields)},
            "domain": domain,
            "primaryType": kind,
            "message": message,
        }
    )


def account(chain: Chain, address: str) -> Any:
    """The key of one of the node's own accounts."""
    return _account(chain.accounts.index(address))


@cache
def _account(place: int) -> Any:
    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(_WORDS, account_path=f"m/44'/60'/0'/0/{place}")


def _chain_id(chain: Chain) -> int:
    return int(chain.rpc("eth_chainId"), 16)
