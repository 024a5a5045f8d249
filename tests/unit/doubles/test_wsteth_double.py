"""The wstETH double: one token is one stETH share, whichever way it was made."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from relever.chain import Call, Chain, Contract, Event, Revert
from tests.unit.doubles.conftest import ETHER, Actors

NOBODY = "0x0000000000000000000000000000000000000000"
UNLIMITED = 2**256 - 1


@pytest.fixture
def wrapped(steth: Contract, wsteth: Contract, actors: Actors) -> Contract:
    """The staker has wrapped a bit more than 10 stETH."""
    steth.approve(wsteth.address, UNLIMITED, sender=actors.staker)
    wsteth.wrap(10 * ETHER + 1, sender=actors.staker)
    return wsteth


def test_create__names__are_lidos(wsteth: Contract, steth: Contract) -> None:
    assert (wsteth.name(), wsteth.symbol(), wsteth.decimals()) == (
        "Wrapped liquid staked Ether 2.0",
        "wstETH",
        18,
    )
    assert wsteth.stETH() == steth.address
    assert wsteth.totalSupply() == 0


def test_wrap__uneven_amount__mints_the_shares_it_receives(
    steth: Contract, wsteth: Contract, actors: Actors
) -> None:
    steth.approve(wsteth.address, UNLIMITED, sender=actors.staker)
    amount = 10 * ETHER + 1
    expected = amount * steth.getTotalShares() // steth.getTotalPooledEther()
    assert wsteth.wrap.call(amount, sender=actors.staker) == expected

    receipt = wsteth.wrap(amount, sender=actors.staker)

    assert wsteth.balanceOf(actors.staker) == wsteth.totalSupply() == expected
    assert steth.sharesOf(wsteth.address) == expected
    assert receipt.events == [
        Event(
            name="Transfer",
            args={"sender": NOBODY, "receiver": actors.staker, "value": expected},
            address=wsteth.address,
        ),
        Event(
            name="Transfer",
            args={"sender": actors.staker, "receiver": wsteth.address, "value": amount},
            address=steth.address,
        ),
        Event(
            name="TransferShares",
            args={"sender": actors.staker, "receiver": wsteth.address, "sharesValue": expected},
            address=steth.address,
        ),
    ]


def test_wrap__without_allowance__reverts(wsteth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        wsteth.wrap(ETHER, sender=actors.staker)
    assert caught.value.reason == "steth: allowance exceeded"


def test_wrap__nothing__reverts(wsteth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        wsteth.wrap(0, sender=actors.staker)
    assert caught.value.reason == "wsteth: zero wrap"


def test_unwrap__everything__burns_it_and_sends_what_it_is_worth(
    steth: Contract, wrapped: Contract, actors: Actors
) -> None:
    own = wrapped.balanceOf(actors.staker)
    worth = steth.getPooledEthByShares(own)
    before = steth.sharesOf(actors.staker)
    assert wrapped.unwrap.call(own, sender=actors.staker) == worth

    wrapped.unwrap(own, sender=actors.staker)

    assert wrapped.totalSupply() == 0
    sent = steth.sharesOf(actors.staker) - before
    assert sent == steth.getSharesByPooledEth(worth)
    # Lido's rounding: the odd share stays with the wrapper.
    assert steth.sharesOf(wrapped.address) == own - sent == 1


def test_unwrap__more_than_held__reverts(wrapped: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        wrapped.unwrap(wrapped.balanceOf(actors.staker) + 1, sender=actors.staker)
    assert caught.value.reason == "erc20: burn amount exceeds balance"


def test_unwrap__nothing__reverts(wrapped: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        wrapped.unwrap(0, sender=actors.staker)
    assert caught.value.reason == "wsteth: zero unwrap"


def test_default__plain_ether__mints_the_shares_it_makes(
    chain: Chain, steth: Contract, wsteth: Contract, actors: Actors
) -> None:
    expected = steth.getSharesByPooledEth(3 * ETHER + 1)
    chain.send(Call(actors.stranger, wsteth.address, b"", 3 * ETHER + 1))
    assert wsteth.balanceOf(actors.stranger) == wsteth.totalSupply() == expected
    assert steth.sharesOf(wsteth.address) == expected
    assert chain.balance(wsteth.address) == 0


def test_default__unknown_function__reverts(chain: Chain, wsteth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        chain.send(Call(actors.stranger, wsteth.address, b"\x01\x02\x03\x04", ETHER))
    assert caught.value.reason == "wsteth: unknown function"


def test_default__no_ether__reverts(chain: Chain, wsteth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        chain.send(Call(actors.stranger, wsteth.address, b""))
    assert caught.value.reason == "steth: zero deposit"


@pytest.mark.parametrize("amount", [0, 1, 2, ETHER - 1, ETHER, 10**27 + 1])
def test_conversion__any_amount__is_steths(steth: Contract, wsteth: Contract, amount: int) -> None:
    assert wsteth.getWstETHByStETH(amount) == steth.getSharesByPooledEth(amount)
    assert wsteth.getStETHByWstETH(amount) == steth.getPooledEthByShares(amount)


def test_rate__rewards_and_losses__move_it_but_no_balance(
    steth: Contract, wrapped: Contract, actors: Actors
) -> None:
    balance, rate = wrapped.balanceOf(actors.staker), wrapped.stEthPerToken()
    assert rate == ETHER * steth.getTotalPooledEther() // steth.getTotalShares()
    assert wrapped.tokensPerStEth() == (
        ETHER * steth.getTotalShares() // steth.getTotalPooledEther()
    )

    steth.accrue_rewards(sender=actors.oracle, value=ETHER)
    raised = wrapped.stEthPerToken()
    steth.slash_validators(2 * ETHER, sender=actors.oracle)
    lowered = wrapped.stEthPerToken()

    assert lowered < rate < raised
    assert wrapped.balanceOf(actors.staker) == balance


def test_transfer__plain__moves_exactly_so_much(wrapped: Contract, actors: Actors) -> None:
    before = wrapped.balanceOf(actors.staker)
    wrapped.transfer(actors.receiver, 12_345, sender=actors.staker)
    assert wrapped.balanceOf(actors.receiver) == 12_345
    assert wrapped.balanceOf(actors.staker) == before - 12_345


def test_mint__by_anyone__does_not_exist(wsteth: Contract) -> None:
    assert not hasattr(wsteth, "mint")
    assert not hasattr(wsteth, "set_minter")


def permit_message(
    chain: Chain, wsteth: Contract, owner: str, spender: str, amount: int, deadline: int
) -> dict[str, object]:
    """Lido's EIP-712 domain and the permit of EIP-2612."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "domain": {
            "name": "Wrapped liquid staked Ether 2.0",
            "version": "1",
            "chainId": int(chain.rpc("eth_chainId", []), 16),
            "verifyingContract": wsteth.address,
        },
        "message": {
            "owner": owner,
            "spender": spender,
            "value": amount,
            "nonce": wsteth.nonces(owner),
            "deadline": deadline,
        },
    }


def test_permit__signed_by_owner__sets_allowance(
    chain: Chain, wsteth: Contract, actors: Actors
) -> None:
    signer = Account.from_key(b"\x07" * 32)
    deadline = chain.timestamp + 60
    message = permit_message(chain, wsteth, signer.address, actors.spender, 5, deadline)
    signed = signer.sign_message(encode_typed_data(full_message=message))
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    arguments = (signer.address, actors.spender, 5, deadline, signed.v, r, s)

    wsteth.permit(*arguments, sender=actors.stranger)

    assert wsteth.allowance(signer.address, actors.spender) == 5
    with pytest.raises(Revert) as caught:
        wsteth.permit(*arguments, sender=actors.stranger)
    assert caught.value.reason == "erc20: invalid signature"
