"""The quick hash of a message is the library's."""

from typing import Any

import pytest
from eth_account.messages import encode_typed_data

from relever.model import signing

AT = "0x" + "5f" * 20
DOMAINS: list[dict[str, Any]] = [
    {"chainId": 31337, "verifyingContract": AT},
    {"chainId": 1, "verifyingContract": AT},
    {"name": "Relever LRT", "version": "1", "chainId": 31337, "verifyingContract": AT},
]
FIELDS = {"owner": "address", "authorized": "bool", "nonce": "uint256", "deadline": "uint256"}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("kind", ["Authorization", "Permit"])
def test_typed__any_domain_and_kind__is_the_librarys(domain: dict[str, Any], kind: str) -> None:
    for message in (AT, True, 0, 2**256 - 1), (AT, False, 2**255, 7):
        said = dict(zip(FIELDS, message, strict=True))
        known = encode_typed_data(domain, {kind: _described(FIELDS)}, said)
        assert signing.typed(domain, kind, FIELDS, message) == known


def test_typed__fields_in_another_order__is_another_message() -> None:
    other = dict(reversed(FIELDS.items()))
    one = signing.typed(DOMAINS[0], "Permit", FIELDS, (AT, True, 1, 1))
    assert signing.typed(DOMAINS[0], "Permit", other, (1, 1, True, AT)) != one


def _described(fields: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in fields.items()]
