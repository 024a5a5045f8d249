"""Yield and interest, and the second in which they alone have a position liquidated: waited for."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.chain import Revert
from relever.protocol import UNLIMITED, WAD, Deployment
from relever.quotes import QuoteRefused, carry, position, seconds_to_liquidation
from tests.scene import DAY, ETHER, open_leveraged, slash_and_sync

YEAR = 365 * DAY


def is_liquidatable(scene: Deployment) -> bool:
    """By the market itself."""
    roles, market = scene.roles, scene.protocol.market
    try:
        with scene.chain.isolated():
            scene.world.fund(roles.liquidator, weth=1_000 * ETHER)
            scene.world.core.weth.approve(market.address, UNLIMITED, sender=roles.liquidator)
            market.liquidate.call(roles.looper, UNLIMITED, 0, sender=roles.liquidator)
    except Revert as failure:
        if failure.reason != "market: healthy":
            raise
        return False
    return True


def pay_and_lock(scene: Deployment, amount: int) -> None:
    """Somebody pays the holders, which unlocks along a line for a week."""
    payer, vault, wsteth = scene.roles.depositor, scene.protocol.vault, scene.world.core.wsteth
    scene.world.fund(payer, wsteth=amount)
    wsteth.approve(vault.address, amount, sender=payer)
    vault.pay_rewards(amount, sender=payer)


def test_carry__position__is_reckoned_from_public_numbers(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 20 * ETHER)
    protocol, oracle = scene.protocol, scene.protocol.oracle
    found, held = carry(protocol, scene.roles.looper), position(protocol, scene.roles.looper)
    ratio, since = oracle.checkpoint_ratio(), oracle.checkpoint_time()
    measured = scene.chain.timestamp - since
    grown = (oracle.fundamental() - ratio) * WAD // ratio
    assert measured > DAY
    assert found.measured == measured
    assert found.collateral_yield == grown * YEAR // measured > 0
    assert found.borrow_rate == protocol.market.borrow_rate()
    earned = held.worth * found.collateral_yield // WAD
    assert found.net == earned - held.debt * found.borrow_rate // WAD
    assert found.net_on_equity == found.net * WAD // (held.worth - held.debt)


def test_carry__checkpoint_younger_than_a_day__has_no_yield(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 20 * ETHER)
    oracle, anyone = scene.protocol.oracle, scene.roles.stranger
    oracle.propose_checkpoint(sender=anyone)
    scene.chain.advance(DAY)
    oracle.promote_checkpoint(sender=anyone)
    found = carry(scene.protocol, scene.roles.looper)
    # It dates from its proposal.
    assert found.measured == DAY
    pay_and_lock(scene, ETHER // 4)
    scene.chain.advance(DAY)
    assert carry(scene.protocol, scene.roles.looper).collateral_yield > found.collateral_yield == 0


def test_carry__slashed_since_the_checkpoint__is_negative(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 20 * ETHER)
    slash_and_sync(scene, 10**16)
    found = carry(scene.protocol, scene.roles.looper)
    assert found.collateral_yield < 0
    assert found.net < 0
    assert found.seconds_to_liquidation == seconds_to_liquidation(
        scene.protocol, scene.roles.looper, found.collateral_yield
    )
    assert found.seconds_to_liquidation is not None


def quiet(scene: Deployment) -> None:
    """Nothing unlocks any more."""
    scene.chain.advance(8 * DAY)
    scene.protocol.vault.sync(sender=scene.roles.stranger)
    assert scene.protocol.vault.locked_profit() == 0
    scene.answer_fundamental()


def leave_cash(scene: Deployment, cash: int) -> None:
    """Lenders take out all that is not lent but so much; the interest until now is booked."""
    market, lender = scene.protocol.market, scene.roles.lender
    market.withdraw(market.maxWithdraw(lender) - cash, lender, lender, sender=lender)


def left(scene: Deployment, collateral_yield: int = 0) -> int | None:
    return seconds_to_liquidation(scene.protocol, scene.roles.looper, collateral_yield)


@pytest.mark.parametrize("borrowed", [24 * ETHER, 28 * ETHER, 288 * ETHER // 10])
# At the target, above and below it: the rate stays, drifts up or drifts down; WAD of what is lent.
@pytest.mark.parametrize("cash_part", [WAD // 9, WAD // 60, WAD // 9 + WAD // 4_000])
def test_seconds_to_liquidation__no_yield__is_the_very_second(
    scene: Deployment, borrowed: int, cash_part: int
) -> None:
    quiet(scene)
    open_leveraged(scene, 3 * ETHER, borrowed)
    leave_cash(scene, scene.protocol.market.state().borrow_assets * cash_part // WAD)
    seconds = left(scene)
    assert seconds is not None
    assert seconds > DAY
    with scene.chain.isolated():
        scene.chain.advance(seconds - 1)
        assert not is_liquidatable(scene)
    scene.chain.advance(seconds)
    assert is_liquidatable(scene)
    assert left(scene) == 0


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    borrowed=st.integers(20 * ETHER, 289 * ETHER // 10),
    cash=st.integers(0, 40 * ETHER),
    accrued=st.integers(0, 3_600),
)
def test_seconds_to_liquidation__any_use_of_the_market__is_near_when_not_accrued(
    scene: Deployment, borrowed: int, cash: int, accrued: int
) -> None:
    """Interest of an hour that is not booked yet moves the second by less than a thousandth."""
    with scene.chain.isolated():
        quiet(scene)
        open_leveraged(scene, 3 * ETHER, borrowed)
        leave_cash(scene, cash)
        scene.chain.advance(accrued)
        seconds = left(scene)
        if not seconds:
            assert is_liquidatable(scene) == (seconds == 0)
            return
        near = seconds // 1_000 + 1
        with scene.chain.isolated():
            scene.chain.advance(seconds + near)
            assert is_liquidatable(scene)
        if seconds > near:
            scene.chain.advance(seconds - near)
            assert not is_liquidatable(scene)


def test_seconds_to_liquidation__known_yield__is_the_very_second(scene: Deployment) -> None:
    """Profit that unlocks is a line for a week: the yield that it comes to delays the end."""
    quiet(scene)
    open_leveraged(scene, 3 * ETHER, 28 * ETHER)
    leave_cash(scene, 0)
    far = left(scene)
    assert far is not None
    scene.chain.advance(far - 4 * DAY)
    scene.protocol.market.accrue(sender=scene.roles.stranger)
    without = left(scene)
    assert without is not None
    assert without < 6 * DAY
    price = scene.protocol.oracle.fundamental()
    with scene.chain.isolated():
        pay_and_lock(scene, ETHER // 10)
        scene.protocol.market.accrue(sender=scene.roles.stranger)
        with scene.chain.isolated():
            scene.chain.advance(7 * DAY)
            grown = scene.protocol.oracle.fundamental()
        collateral_yield = (grown - price) * WAD * YEAR // (price * 7 * DAY)
        assert collateral_yield > 0
        seconds = left(scene, collateral_yield)
        assert seconds is not None
        assert without < seconds < 7 * DAY
        # The vault rounds its rate, the yield is rounded: a second.
        scene.chain.advance(seconds - 2)
        assert not is_liquidatable(scene)
        scene.chain.advance(3)
        assert is_liquidatable(scene)


def test_seconds_to_liquidation__yield_above_the_rate__is_never(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 28 * ETHER)
    assert left(scene, WAD // 10) is None
    # A market that hardly anybody uses asks for next to nothing.
    assert left(scene) is None
    assert left(scene, -WAD // 100) is not None


def test_seconds_to_liquidation__without_debt_or_already__is_never_or_now(
    scene: Deployment,
) -> None:
    assert left(scene) is None
    assert left(scene, -(10**24)) is None
    open_leveraged(scene, 3 * ETHER, 28 * ETHER)
    slash_and_sync(scene, 15 * 10**16)
    assert is_liquidatable(scene)
    assert left(scene, 10**24) == 0


def test_seconds_to_liquidation__yield_beyond_reason__is_bounded(
    scene: Deployment,
) -> None:
    open_leveraged(scene, 3 * ETHER, 28 * ETHER)
    # A million times its worth a year is 3 % a second.
    assert left(scene, -(10**24)) == 2
    for beyond in (10**24 + 1, -(10**24) - 1):
        with pytest.raises(QuoteRefused, match="yield out of range"):
            left(scene, beyond)
