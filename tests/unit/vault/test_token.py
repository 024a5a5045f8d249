"""The share as a token: permit, and nothing that mints or burns but assets."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from relever.chain import Revert
from tests.unit.vault.conftest import UNLIMITED, WAD, Setup

KEY = "0x" + "11" * 32


def permit(setup: Setup, amount: int, deadline: int, key: str = KEY) -> tuple[object, ...]:
    """A permit by the key's owner for the holder, as `permit` takes it."""
    owner = Account.from_key(KEY).address
    message = {
        "owner": owner,
        "spender": setup.actors.holder,
        "value": amount,
        "nonce": setup.vault.nonces(owner),
        "deadline": deadline,
    }
    types = {
        "Permit": [
            {"name": "owner", "type": "address"},
            {"name": "spender", "type": "address"},
            {"name": "value", "type": "uint256"},
            {"name": "nonce", "type": "uint256"},
            {"name": "deadline", "type": "uint256"},
        ]
    }
    domain = {
        "name": setup.vault.name(),
        "version": "1",
        "chainId": 31337,
        "verifyingContract": setup.vault.address,
    }
    signable = encode_typed_data(domain, types, message)
    signed = Account.sign_message(signable, key)
    r, s = (value.to_bytes(32, "big") for value in (signed.r, signed.s))
    return owner, setup.actors.holder, amount, deadline, signed.v, r, s


def test_permit__signed_by_the_holder__lets_the_spender_redeem(setup: Setup) -> None:
    vault, spender = setup.vault, setup.actors.holder
    signed = permit(setup, 2 * WAD, setup.chain.timestamp)
    owner = signed[0]
    vault.deposit(5 * WAD, owner, sender=setup.actors.depositor)

    receipt = vault.permit(*signed, sender=setup.actors.stranger)

    assert receipt.events == [setup.event("Approval", owner=owner, spender=spender, value=2 * WAD)]
    assert vault.nonces(owner) == 1
    vault.redeem(2 * WAD, spender, owner, sender=spender)
    assert vault.balanceOf(owner) == 3 * WAD


def test_permit__used_twice__reverts(setup: Setup) -> None:
    signed = permit(setup, WAD, UNLIMITED)
    setup.vault.permit(*signed)
    with pytest.raises(Revert) as failure:
        setup.vault.permit(*signed)
    assert failure.value.reason == "erc20: invalid signature"


def test_permit__signed_by_another__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.permit(*permit(setup, WAD, UNLIMITED, key="0x" + "22" * 32))
    assert failure.value.reason == "erc20: invalid signature"


def test_permit__expired__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.permit(*permit(setup, WAD, setup.chain.timestamp - 1))
    assert failure.value.reason == "erc20: expired deadline"


def test_transfer__shares__move_with_their_worth(staked: Setup) -> None:
    vault, who, to = staked.vault, staked.actors.depositor, staked.actors.holder
    receipt = vault.transfer(to, WAD, sender=who)
    assert receipt.events == [staked.event("Transfer", sender=who, receiver=to, value=WAD)]
    assert vault.maxWithdraw(to) == WAD


def test_transfer__unreadable_adapter__still_works(staked: Setup) -> None:
    staked.adapter.set_broken(True)
    staked.vault.transfer(staked.actors.holder, WAD, sender=staked.actors.depositor)
    assert staked.vault.balanceOf(staked.actors.holder) == WAD
