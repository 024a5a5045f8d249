"""Orders in Python: made, signed, written and read, as the contract takes them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from relever.model import signing
from relever.orders import Kind, Order, SignedOrder
from relever.protocol import UNLIMITED, WAD
from tests.unit.orders.conftest import CHAIN_ID, Desk

OWNER = Account.from_key("0x" + "42" * 32)
CONTRACT = "0x" + "00" * 19 + "01"
PLAIN = Order(
    owner=OWNER.address,
    market=CONTRACT,
    kind=Kind.DELEVERAGE,
    trigger=11 * WAD // 10,
    target_health=13 * WAD // 10,
    amount=UNLIMITED,
    max_loss=WAD // 100,
    fee=10**16,
    epoch=0,
    nonce=2**200,
    deadline=2**40,
)


def test_sign__owner__is_what_the_contract_takes(desk: Desk) -> None:
    key = signing.account(desk.scene.chain, desk.owner)
    for kind in Kind:
        order = desk.order(kind, nonce=kind)
        signed = order.sign(CHAIN_ID, desk.contract.address, key)
        assert signed.signer == desk.owner
        with desk.scene.chain.isolated():
            desk.execute(order, signed.signature)


def test_sign__another__is_refused() -> None:
    with pytest.raises(ValueError, match="cannot sign for the owner"):
        PLAIN.sign(CHAIN_ID, CONTRACT, Account.from_key("0x" + "43" * 32))


def test_text__read__is_the_same() -> None:
    signed = PLAIN.sign(CHAIN_ID, CONTRACT, OWNER)
    assert SignedOrder.read(signed.text()) == signed
    said = json.loads(signed.text())
    assert said["order"]["kind"] == "4"
    assert said["order"]["amount"] == str(UNLIMITED)


def test_signer__changed_order__is_another() -> None:
    signed = PLAIN.sign(CHAIN_ID, CONTRACT, OWNER)
    assert signed.signer == OWNER.address
    for other in (
        replace(signed, chain_id=1),
        replace(signed, contract=OWNER.address),
        replace(signed, order=replace(PLAIN, nonce=1)),
    ):
        assert other.signer != OWNER.address
    with pytest.raises(ValueError, match="the signature is of no key"):
        _ = replace(signed, signature=b"contract").signer


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"owner": "nobody"}, "owner 'nobody' is no address with a checksum"),
        ({"market": OWNER.address.lower()}, "is no address with a checksum"),
        ({"trigger": -1}, "trigger -1 does not fit 256 bits"),
        ({"nonce": 2**256}, "nonce .* does not fit 256 bits"),
        ({"amount": 0}, "amount is 0"),
        ({"max_loss": WAD}, "is all or more"),
        ({"fee": 2**96 + 1}, "is an amount of WETH in wei"),
        ({"target_health": 11 * WAD // 10}, "needs a target_health above its trigger"),
        ({"target_health": 100 * WAD + 1}, "needs a target_health above its trigger"),
        ({"kind": Kind.STOP_LOSS}, "target_health is for a deleverage alone"),
    ],
)
def test_order__terms_that_are_none__are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(PLAIN, **change)


def _without(name: str) -> str:
    said = json.loads(PLAIN.sign(CHAIN_ID, CONTRACT, OWNER).text())
    del said["order"][name]
    return json.dumps(said)


def _with(**others: Any) -> str:
    said = json.loads(PLAIN.sign(CHAIN_ID, CONTRACT, OWNER).text())
    return json.dumps({**said, **others})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("[]", "this is no signed order"),
        ("{}", "the signed order has no 'order'"),
        (_without("fee"), "the signed order has no 'fee'"),
        (_with(order={"tip": "1"}), "the order has unknown fields: ..tip"),
        (_with(signature="0xzz"), "non-hexadecimal"),
        (_with(signature=5), "this is no signed order"),
        (_with(chain_id="one"), "invalid literal"),
    ],
)
def test_read__no_signed_order__says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SignedOrder.read(text)


def test_read__unknown_kind__says_why() -> None:
    said = json.loads(PLAIN.sign(CHAIN_ID, CONTRACT, OWNER).text())
    said["order"]["kind"] = "3"
    with pytest.raises(ValueError, match="3 is not a valid Kind"):
        SignedOrder.read(json.dumps(said))
