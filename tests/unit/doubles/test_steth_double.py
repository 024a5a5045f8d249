"""The stETH double: Lido's shares and rounding, and who may move the rate."""

import pytest

from relever.artifacts import artifact
from relever.chain import Call, Chain, Contract, Event, Revert
from tests.unit.doubles.conftest import ETHER, INITIAL_STAKE, REWARDS, STAKE, Actors

NOBODY = "0x0000000000000000000000000000000000000000"
DEAD = "0x000000000000000000000000000000000000dEaD"
UNLIMITED = 2**256 - 1


def total(steth: Contract) -> tuple[int, int]:
    """All shares, all pooled ether."""
    return steth.getTotalShares(), steth.getTotalPooledEther()


def events(steth: Contract, *named: tuple[str, dict[str, object]]) -> list[Event]:
    return [Event(name=name, args=args, address=steth.address) for name, args in named]


def transfer_events(
    steth: Contract, sender: str, receiver: str, amount: int, shares: int
) -> list[Event]:
    return events(
        steth,
        ("Transfer", {"sender": sender, "receiver": receiver, "value": amount}),
        (
            "TransferShares",
            {"sender": sender, "receiver": receiver, "sharesValue": shares},
        ),
    )


# --- creation ---


def test_create__with_initial_stake__one_share_per_wei(
    chain: Chain, fresh_steth: Contract, actors: Actors
) -> None:
    assert total(fresh_steth) == (INITIAL_STAKE, INITIAL_STAKE)
    assert fresh_steth.sharesOf(DEAD) == INITIAL_STAKE
    assert chain.balance(fresh_steth.address) == INITIAL_STAKE
    assert fresh_steth.oracle() == actors.oracle
    assert (fresh_steth.name(), fresh_steth.symbol(), fresh_steth.decimals()) == (
        "Liquid staked Ether 2.0",
        "stETH",
        18,
    )


def test_create__without_stake__reverts(chain: Chain, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        chain.deploy(artifact("StETHDouble"), actors.oracle, sender=actors.admin)
    assert caught.value.reason == "steth: no initial stake"


def test_create__without_oracle__reverts(chain: Chain, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        chain.deploy(artifact("StETHDouble"), NOBODY, sender=actors.admin, value=1)
    assert caught.value.reason == "steth: zero oracle"


# --- submit ---


def test_submit__at_rate_one__mints_as_many_shares(fresh_steth: Contract, actors: Actors) -> None:
    receipt = fresh_steth.submit(actors.admin, sender=actors.staker, value=3 * ETHER)
    assert fresh_steth.sharesOf(actors.staker) == 3 * ETHER
    assert receipt.events == [
        *events(
            fresh_steth,
            (
                "Submitted",
                {"sender": actors.staker, "amount": 3 * ETHER, "referral": actors.admin},
            ),
        ),
        *transfer_events(fresh_steth, NOBODY, actors.staker, 3 * ETHER, 3 * ETHER),
    ]


def test_submit__at_uneven_rate__rounds_shares_down(
    chain: Chain, fresh_steth: Contract, actors: Actors
) -> None:
    fresh_steth.accrue_rewards(sender=actors.oracle, value=REWARDS)
    expected = STAKE * INITIAL_STAKE // (INITIAL_STAKE + REWARDS)
    assert fresh_steth.submit.call(NOBODY, sender=actors.staker, value=STAKE) == expected

    receipt = fresh_steth.submit(NOBODY, sender=actors.staker, value=STAKE)

    assert receipt.events[1:] == transfer_events(
        fresh_steth, NOBODY, actors.staker, STAKE - 1, expected
    )
    assert fresh_steth.sharesOf(actors.staker) == expected
    shares, pooled = total(fresh_steth)
    assert (shares, pooled) == (INITIAL_STAKE + expected, INITIAL_STAKE + REWARDS + STAKE)
    # The rounding stays with those who hold already: the staker is a wei short.
    assert fresh_steth.balanceOf(actors.staker) == expected * pooled // shares == STAKE - 1
    assert chain.balance(fresh_steth.address) == pooled


def test_submit__nothing__reverts(steth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        steth.submit(NOBODY, sender=actors.staker)
    assert caught.value.reason == "steth: zero deposit"


def test_default__plain_ether__stakes_it(chain: Chain, steth: Contract, actors: Actors) -> None:
    expected = steth.getSharesByPooledEth(ETHER)
    chain.send(Call(actors.stranger, steth.address, b"", ETHER))
    assert steth.sharesOf(actors.stranger) == expected


def test_default__unknown_function__reverts(chain: Chain, steth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        chain.send(Call(actors.stranger, steth.address, b"\x01\x02\x03\x04", ETHER))
    assert caught.value.reason == "steth: unknown function"


# --- the rate ---


def test_accrue_rewards__by_oracle__every_balance_rises(
    chain: Chain, steth: Contract, actors: Actors
) -> None:
    shares, pooled = total(steth)
    before = steth.balanceOf(actors.staker)

    receipt = steth.accrue_rewards(sender=actors.oracle, value=ETHER)

    assert total(steth) == (shares, pooled + ETHER)
    assert chain.balance(steth.address) == pooled + ETHER == steth.totalSupply()
    own = steth.sharesOf(actors.staker)
    assert steth.balanceOf(actors.staker) == own * (pooled + ETHER) // shares > before
    assert receipt.events == events(
        steth, ("RewardsAccrued", {"amount": ETHER, "pooled_ether": pooled + ETHER})
    )


@pytest.mark.parametrize("function", ["accrue_rewards", "slash_validators"])
@pytest.mark.parametrize("role", ["admin", "staker", "stranger"])
def test_rate__moved_by_another_role__reverts(
    steth: Contract, actors: Actors, function: str, role: str
) -> None:
    arguments = (1,) if function == "slash_validators" else ()
    value = 1 if function == "accrue_rewards" else 0
    with pytest.raises(Revert) as caught:
        getattr(steth, function)(*arguments, sender=getattr(actors, role), value=value)
    assert caught.value.reason == "steth: not the oracle"


def test_accrue_rewards__nothing__reverts(steth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        steth.accrue_rewards(sender=actors.oracle)
    assert caught.value.reason == "steth: zero rewards"


def test_slash_validators__by_oracle__burns_ether_and_every_balance_falls(
    chain: Chain, steth: Contract, actors: Actors
) -> None:
    shares, pooled = total(steth)
    burnt = chain.balance(DEAD)

    receipt = steth.slash_validators(ETHER, sender=actors.oracle)

    assert total(steth) == (shares, pooled - ETHER)
    assert chain.balance(steth.address) == pooled - ETHER
    assert chain.balance(DEAD) == burnt + ETHER
    own = steth.sharesOf(actors.staker)
    assert steth.balanceOf(actors.staker) == own * (pooled - ETHER) // shares
    assert receipt.events == events(
        steth, ("ValidatorsSlashed", {"amount": ETHER, "pooled_ether": pooled - ETHER})
    )


@pytest.mark.parametrize(
    ("left", "reason"), [(0, "steth: loss takes all"), (-1, "steth: loss takes all")]
)
def test_slash_validators__everything_or_more__reverts(
    steth: Contract, actors: Actors, left: int, reason: str
) -> None:
    with pytest.raises(Revert) as caught:
        steth.slash_validators(steth.totalSupply() - left, sender=actors.oracle)
    assert caught.value.reason == reason


def test_slash_validators__all_but_one_wei__leaves_it(steth: Contract, actors: Actors) -> None:
    steth.slash_validators(steth.totalSupply() - 1, sender=actors.oracle)
    assert steth.totalSupply() == 1


def test_slash_validators__nothing__reverts(steth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        steth.slash_validators(0, sender=actors.oracle)
    assert caught.value.reason == "steth: zero loss"


def test_rate__ether_forced_in__ignored(chain: Chain, steth: Contract) -> None:
    before = total(steth)
    chain.set_balance(steth.address, chain.balance(steth.address) + ETHER)
    assert total(steth) == before


# --- transfers ---


def test_transfer__uneven_amount__moves_shares_rounded_down(
    steth: Contract, actors: Actors
) -> None:
    shares, pooled = total(steth)
    amount = 5 * ETHER + 3
    moved = amount * shares // pooled
    before = steth.sharesOf(actors.staker)

    receipt = steth.transfer(actors.receiver, amount, sender=actors.staker)

    assert steth.sharesOf(actors.receiver) == moved
    assert steth.sharesOf(actors.staker) == before - moved
    assert amount - 2 <= steth.balanceOf(actors.receiver) < amount
    assert receipt.events == transfer_events(steth, actors.staker, actors.receiver, amount, moved)


def test_transfer__whole_balance__may_leave_a_share(steth: Contract, actors: Actors) -> None:
    steth.transfer(actors.receiver, steth.balanceOf(actors.staker), sender=actors.staker)
    assert steth.sharesOf(actors.staker) == 1
    assert steth.balanceOf(actors.staker) == 1


def test_transfer_shares__all__leaves_nothing(steth: Contract, actors: Actors) -> None:
    own, worth = steth.sharesOf(actors.staker), steth.balanceOf(actors.staker)
    assert steth.transferShares.call(actors.receiver, own, sender=actors.staker) == worth

    receipt = steth.transferShares(actors.receiver, own, sender=actors.staker)

    assert (steth.sharesOf(actors.staker), steth.sharesOf(actors.receiver)) == (0, own)
    assert receipt.events == transfer_events(steth, actors.staker, actors.receiver, worth, own)


@pytest.mark.parametrize(
    ("to", "reason"), [("zero", "steth: transfer to zero"), ("token", "steth: transfer to token")]
)
@pytest.mark.parametrize("function", ["transfer", "transferShares"])
def test_transfer__to_nowhere__reverts(
    steth: Contract, actors: Actors, function: str, to: str, reason: str
) -> None:
    receiver = NOBODY if to == "zero" else steth.address
    with pytest.raises(Revert) as caught:
        getattr(steth, function)(receiver, 1, sender=actors.staker)
    assert caught.value.reason == reason


def test_transfer__a_share_too_many__reverts(steth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        steth.transferShares(
            actors.receiver, steth.sharesOf(actors.staker) + 1, sender=actors.staker
        )
    assert caught.value.reason == "steth: balance exceeded"


def test_transfer__more_than_balance__reverts(steth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        steth.transfer(
            actors.receiver, steth.balanceOf(actors.staker) + ETHER, sender=actors.staker
        )
    assert caught.value.reason == "steth: balance exceeded"


# --- allowances ---


def test_approve__spender__sets_allowance(steth: Contract, actors: Actors) -> None:
    receipt = steth.approve(actors.spender, 7, sender=actors.staker)
    assert steth.allowance(actors.staker, actors.spender) == 7
    assert receipt.events == events(
        steth, ("Approval", {"owner": actors.staker, "spender": actors.spender, "value": 7})
    )


def test_approve__zero_spender__reverts(steth: Contract, actors: Actors) -> None:
    with pytest.raises(Revert) as caught:
        steth.approve(NOBODY, 1, sender=actors.staker)
    assert caught.value.reason == "steth: approve to zero"


def test_transfer_from__within_allowance__uses_it_up(steth: Contract, actors: Actors) -> None:
    steth.approve(actors.spender, ETHER, sender=actors.staker)
    moved = steth.getSharesByPooledEth(ETHER - 1)

    receipt = steth.transferFrom(actors.staker, actors.receiver, ETHER - 1, sender=actors.spender)

    assert steth.allowance(actors.staker, actors.spender) == 1
    assert receipt.events == [
        *events(
            steth, ("Approval", {"owner": actors.staker, "spender": actors.spender, "value": 1})
        ),
        *transfer_events(steth, actors.staker, actors.receiver, ETHER - 1, moved),
    ]


def test_transfer_from__beyond_allowance__reverts(steth: Contract, actors: Actors) -> None:
    steth.approve(actors.spender, ETHER, sender=actors.staker)
    with pytest.raises(Revert) as caught:
        steth.transferFrom(actors.staker, actors.receiver, ETHER + 1, sender=actors.spender)
    assert caught.value.reason == "steth: allowance exceeded"


def test_transfer_from__unlimited__keeps_allowance(steth: Contract, actors: Actors) -> None:
    steth.approve(actors.spender, UNLIMITED, sender=actors.staker)
    steth.transferFrom(actors.staker, actors.receiver, ETHER, sender=actors.spender)
    assert steth.allowance(actors.staker, actors.spender) == UNLIMITED


def test_transfer_shares_from__within_allowance__uses_up_their_worth(
    steth: Contract, actors: Actors
) -> None:
    worth = steth.getPooledEthByShares(ETHER)
    steth.approve(actors.spender, worth, sender=actors.staker)
    steth.transferSharesFrom(actors.staker, actors.receiver, ETHER, sender=actors.spender)
    assert steth.sharesOf(actors.receiver) == ETHER
    assert steth.allowance(actors.staker, actors.spender) == 0


def test_transfer_shares_from__beyond_allowance__reverts(steth: Contract, actors: Actors) -> None:
    steth.approve(actors.spender, steth.getPooledEthByShares(ETHER) - 1, sender=actors.staker)
    with pytest.raises(Revert) as caught:
        steth.transferSharesFrom(actors.staker, actors.receiver, ETHER, sender=actors.spender)
    assert caught.value.reason == "steth: allowance exceeded"


# --- rounding and conservation ---


@pytest.mark.parametrize("amount", [0, 1, 2, 3, ETHER - 1, ETHER, 10**27 + 1])
def test_conversion__any_amount__floors_both_ways(steth: Contract, amount: int) -> None:
    shares, pooled = total(steth)
    assert steth.getSharesByPooledEth(amount) == amount * shares // pooled
    assert steth.getPooledEthByShares(amount) == amount * pooled // shares
    assert steth.getPooledEthByShares(steth.getSharesByPooledEth(amount)) <= amount


def test_balances__after_many_moves__never_exceed_the_ether_held(
    chain: Chain, steth: Contract, actors: Actors
) -> None:
    holders = [actors.staker, actors.receiver, actors.stranger, DEAD]
    for step in range(1, 8):
        steth.submit(NOBODY, sender=actors.stranger, value=ETHER // step)
        steth.accrue_rewards(sender=actors.oracle, value=step * 7_777_777_777)
        steth.transfer(actors.receiver, ETHER // (step + 2), sender=actors.staker)
        steth.slash_validators(step * 3_333_333_333, sender=actors.oracle)

        assert sum(map(steth.sharesOf, holders)) == steth.getTotalShares()
        pooled = chain.balance(steth.address)
        assert pooled == steth.getTotalPooledEther() == steth.totalSupply()
        assert pooled - len(holders) < sum(map(steth.balanceOf, holders)) <= pooled
