"""Managers, named by their owner's signature."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from relever.artifacts import artifact
from relever.chain import Receipt, Revert
from tests.unit.market.conftest import NOBODY, UNLIMITED, WAD, Setup

OWNER = Account.from_key(keccak(text="an owner"))
OTHER = Account.from_key(keccak(text="another one"))
# The curve's order: a signature with s and one with order - s are both valid to it.
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CHAIN_ID = 31337


@dataclass(frozen=True)
class Permission:
    """What is signed, and for whom it is valid."""

    chain_id: int
    market: str
    owner: str
    manager: str
    authorized: bool = True
    nonce: int = 0
    deadline: int = UNLIMITED

    def message(self) -> Any:
        domain = [("chainId", "uint256"), ("verifyingContract", "address")]
        fields = [
            ("owner", "address"),
            ("manager", "address"),
            ("authorized", "bool"),
            ("nonce", "uint256"),
            ("deadline", "uint256"),
        ]
        return encode_typed_data(
            full_message={
                "types": {
                    "EIP712Domain": [{"name": name, "type": kind} for name, kind in domain],
                    "Authorization": [{"name": name, "type": kind} for name, kind in fields],
                },
                "domain": {"chainId": self.chain_id, "verifyingContract": self.market},
                "primaryType": "Authorization",
                "message": {name: getattr(self, name) for name, _ in fields},
            }
        )

    def hash(self) -> bytes:
        message = self.message()
        return bytes(keccak(b"\x19\x01" + message.header + message.body))

    def signed(self, signer: Any = OWNER) -> bytes:
        return bytes(signer.sign_message(self.message()).signature)


def permission(setup: Setup, **changes: Any) -> Permission:
    given = Permission(CHAIN_ID, setup.market.address, OWNER.address, setup.actors.manager)
    return replace(given, **changes)


def arguments(given: Permission, signature: bytes) -> tuple[Any, ...]:
    terms = (given.owner, given.manager, given.authorized, given.nonce, given.deadline)
    return (*terms, signature)


def submit(setup: Setup, given: Permission, signature: bytes) -> Receipt:
    """A stranger brings the signature to the market."""
    receipt: Receipt = setup.market.set_authorization_by_signature(
        *arguments(given, signature), sender=setup.actors.stranger
    )
    return receipt


def attempt(setup: Setup, given: Permission, signature: bytes) -> None:
    """The same without a transaction."""
    setup.market.set_authorization_by_signature.call(*arguments(given, signature))


def refuse(setup: Setup, given: Permission, signature: bytes, reason: str) -> None:
    with setup.refused(reason):
        submit(setup, given, signature)
    assert setup.market.nonces(given.owner) == 0
    assert not setup.market.is_authorized(given.owner, given.manager)


def test_set_authorization_by_signature__owners__gives_and_takes(lent: Setup) -> None:
    market, manager = lent.market, lent.actors.manager
    assert market.nonces(OWNER.address) == 0
    for nonce, authorized in enumerate((True, False, False, True)):
        given = permission(lent, authorized=authorized, nonce=nonce)
        receipt = submit(lent, given, given.signed())
        assert receipt.events == [
            lent.event(
                "AuthorizationSet", owner=OWNER.address, manager=manager, authorized=authorized
            )
        ]
        assert market.is_authorized(OWNER.address, manager) is authorized
        assert market.nonces(OWNER.address) == nonce + 1
    market.adjust(OWNER.address, WAD, WAD // 2, manager, sender=manager)
    assert tuple(market.position(OWNER.address)) == (WAD, WAD // 2)


def test_set_authorization_by_signature__used__does_nothing_again(lent: Setup) -> None:
    market, manager = lent.market, lent.actors.manager
    given = permission(lent)
    submit(lent, given, given.signed())
    market.renounce_authorization(OWNER.address, sender=manager)
    # Someone replays it, with the right bytes or any: no failure, and no effect.
    for signature in (given.signed(), given.signed(OTHER), b""):
        assert submit(lent, given, signature).events == []
        assert not market.is_authorized(OWNER.address, manager)
        assert market.nonces(OWNER.address) == 1


def test_set_authorization_by_signature__owner_changes_its_mind__is_void(lent: Setup) -> None:
    """What was signed and given away cannot undo what the owner has done since."""
    market, wallet, manager = lent.market, lent.wallet.address, lent.actors.manager
    lent.run("set_authorization", manager, False)
    assert market.nonces(wallet) == 1
    # The contract wallet would sign anything; the nonce is what stops it.
    assert submit(lent, permission(lent, owner=wallet), b"").events == []
    assert not market.is_authorized(wallet, manager)


def test_set_authorization_by_signature__future_nonce__reverts(lent: Setup) -> None:
    for nonce in (1, 2, UNLIMITED):
        given = permission(lent, nonce=nonce)
        refuse(lent, given, given.signed(), "market: nonce")


def test_set_authorization_by_signature__deadline__is_the_last_second(lent: Setup) -> None:
    given = permission(lent, deadline=lent.chain.timestamp - 1)
    refuse(lent, given, given.signed(), "market: signature expired")
    given = permission(lent, deadline=lent.chain.timestamp)
    submit(lent, given, given.signed())
    assert lent.market.is_authorized(OWNER.address, given.manager)
    # Expired and used: it says so all the same.
    lent.chain.advance(1)
    with lent.refused("market: signature expired"):
        submit(lent, given, given.signed())


def test_set_authorization_by_signature__another_signer__reverts(lent: Setup) -> None:
    given = permission(lent)
    refuse(lent, given, given.signed(OTHER), "market: signature")


@pytest.mark.parametrize(
    "signed",
    [
        {"chain_id": 1},
        {"market": "0x00000000000000000000000000000000000000AA"},
        {"owner": OTHER.address},
        {"manager": OTHER.address},
        {"authorized": False},
        {"nonce": 1},
        {"deadline": 2**255},
    ],
)
def test_set_authorization_by_signature__signed_for_something_else__reverts(
    lent: Setup, signed: dict[str, Any]
) -> None:
    given = permission(lent)
    refuse(lent, given, replace(given, **signed).signed(), "market: signature")


def test_set_authorization_by_signature__another_market__reverts(lent: Setup) -> None:
    other = lent.another()
    given = permission(lent)
    submit(lent, given, given.signed())
    refuse(other, given, given.signed(), "market: signature")


def test_set_authorization_by_signature__fork_of_the_chain__has_its_own_domain(
    lent: Setup,
) -> None:
    given = permission(lent)
    there = replace(given, chain_id=CHAIN_ID + 1)
    # The node signs for its accounts with the old number, so that only calls can be made.
    lent.chain.rpc("anvil_setChainId", [there.chain_id])
    try:
        with pytest.raises(Revert) as failure:
            attempt(lent, given, given.signed())
        assert failure.value.reason == "market: signature"
        attempt(lent, there, there.signed())
    finally:
        lent.chain.rpc("anvil_setChainId", [CHAIN_ID])
    attempt(lent, given, given.signed())


def test_set_authorization_by_signature__malformed__reverts(lent: Setup) -> None:
    given = permission(lent)
    good = given.signed()
    s = int.from_bytes(good[32:64], "big")
    mirrored = good[:32] + (ORDER - s).to_bytes(32, "big") + bytes([55 - good[64]])
    refuse(lent, given, mirrored, "ecdsa: invalid signature `s` value")
    refuse(lent, given, good[:64] + b"\x05", "ecdsa: invalid signature")
    for wrong in (b"", good[:63], b"\0" * 10):
        refuse(lent, given, wrong, "market: signature")


def test_set_authorization_by_signature__owned_by_nobody__reverts(lent: Setup) -> None:
    given = permission(lent, owner=NOBODY)
    refuse(lent, given, b"", "market: signature")


def test_set_authorization_by_signature__contract__is_asked(lent: Setup) -> None:
    wallet = lent.chain.deploy(artifact("Erc1271Wallet"))
    given = permission(lent, owner=wallet.address)
    signature = b"anything that the wallet knows"
    refuse(lent, given, signature, "market: signature")
    wallet.approve_signature(given.hash(), signature)
    refuse(lent, given, signature + b"!", "market: signature")
    refuse(lent, replace(given, deadline=2**255), signature, "market: signature")

    receipt = submit(lent, given, signature)

    assert receipt.events == [
        lent.event("AuthorizationSet", owner=wallet.address, manager=given.manager, authorized=True)
    ]
    assert submit(lent, given, signature).events == []


def test_set_authorization_by_signature__contract_that_cannot_sign__reverts(lent: Setup) -> None:
    given = permission(lent, owner=lent.oracle.address)
    refuse(lent, given, given.signed(), "market: signature")
