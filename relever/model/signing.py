"""What the accounts of a local node sign: their keys come from its well-known words."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

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
    domain = {"chainId": _chain_id(chain), "verifyingContract": market.address}
    said = dict(zip(_AUTHORIZATION, message, strict=True))
    return bytes(_signed(chain, signer, domain, "Authorization", _AUTHORIZATION, said).signature)


def permit(chain: Chain, token: Contract, signer: str, *message: Any) -> tuple[int, bytes, bytes]:
    """Of a spender: owner, spender, value, nonce, deadline. Returns v, r and s."""
    domain = {
        "name": token.name(),
        "version": "1",
        "chainId": _chain_id(chain),
        "verifyingContract": token.address,
    }
    said = dict(zip(_PERMIT, message, strict=True))
    signed = _signed(chain, signer, domain, "Permit", _PERMIT, said)
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def signature(
    chain: Chain,
    signer: str,
    domain: dict[str, Any],
    kind: str,
    fields: dict[str, str],
    *message: Any,
) -> bytes:
    """Of any typed message, its values in the order of its fields; r, s and v."""
    domain = {**domain, "chainId": _chain_id(chain)}
    said = dict(zip(fields, message, strict=True))
    return bytes(_signed(chain, signer, domain, kind, fields, said).signature)


def _signed(
    chain: Chain,
    signer: str,
    domain: dict[str, Any],
    kind: str,
    fields: dict[str, str],
    message: dict[str, Any],
) -> Any:
    def typed(of: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "type": of_type} for name, of_type in of.items()]

    in_domain = {name: of_type for name, of_type in _DOMAIN.items() if name in domain}
    encoded = encode_typed_data(
        full_message={
            "types": {"EIP712Domain": typed(in_domain), kind: typed(fields)},
            "domain": domain,
            "primaryType": kind,
            "message": message,
        }
    )
    return _account(chain.accounts.index(signer)).sign_message(encoded)


@cache
def _account(place: int) -> Any:
    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(_WORDS, account_path=f"m/44'/60'/0'/0/{place}")


def _chain_id(chain: Chain) -> int:
    return int(chain.rpc("eth_chainId"), 16)
