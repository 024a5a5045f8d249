"""Every number of the Lens again, from the contracts' own views and in Python."""

from fractions import Fraction
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Revert
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment, contract_address
from tests.scene import (
    DAY,
    ETHER,
    SWAP,
    borrow_against,
    open_leveraged,
    pass_days,
    restake,
    reverts,
    slash_and_sync,
)
from tests.unit.router.conftest import FREE

EXIT_BLOCKS, SECONDS_A_BLOCK = 51, 12


@pytest.fixture
def leveraged(scene: Deployment) -> Deployment:
    """A position with a few days of interest, and a market below fundamental, half smoothed."""
    open_leveraged(scene, 3 * ETHER, 28 * ETHER)
    pass_days(scene, 3)
    scene.answer_fundamental(discount=WAD // 50)
    scene.protocol.oracle.poke()
    scene.chain.advance(1_800)
    scene.protocol.oracle.poke()
    scene.chain.advance(600)
    return scene


def health(debt: int, worth: int, threshold: int) -> int:
    return UNLIMITED if debt == 0 else worth * threshold // debt


def expected_position(scene: Deployment, owner: str) -> tuple[Any, ...]:
    market, oracle = scene.protocol.market, scene.protocol.oracle
    terms = market.terms()
    threshold = terms.threshold
    collateral, debt = market.position(owner)
    fundamental, smoothed, usable = oracle.liquidation_prices()
    worth = collateral * fundamental // PRICE_SCALE
    market_worth = collateral * smoothed // PRICE_SCALE
    healthy = debt * WAD <= worth * threshold
    breached = usable and debt * WAD > market_worth * threshold
    # In exact fractions: what is repaid and the base bonus on it.
    covered = Fraction(collateral * smoothed, PRICE_SCALE) >= debt * Fraction(
        WAD + terms.base_bonus, WAD
    )
    return (
        owner,
        collateral,
        debt,
        worth,
        debt * WAD // worth if worth else 0,
        health(debt, worth, threshold),
        health(debt, market_worth, threshold),
        not healthy,
        healthy and breached and covered,
        least_healthy_price(collateral, debt, threshold),
    )


def least_healthy_price(collateral: int, debt: int, threshold: int) -> int:
    """By search: the market's own condition, and no formula."""
    if collateral == 0:
        return 0
    low, high = 0, 2**200
    while low < high:
        price = (low + high) // 2
        if debt * WAD <= collateral * price // PRICE_SCALE * threshold:
            high = price
        else:
            low = price + 1
    return low


def test_position__leveraged__is_recomputed_to_the_unit(leveraged: Deployment) -> None:
    protocol, roles = leveraged.protocol, leveraged.roles
    for owner in (roles.looper, roles.borrower, roles.stranger):
        view = protocol.lens.position(protocol.market.address, owner)
        assert tuple(view) == expected_position(leveraged, owner)
    view = protocol.lens.position(protocol.market.address, roles.looper)
    assert view.market_health < view.health
    assert not view.liquidatable


def test_position__slashed__is_liquidatable_where_the_market_says_so(
    leveraged: Deployment,
) -> None:
    protocol, roles = leveraged.protocol, leveraged.roles
    market = protocol.market
    with reverts("market: healthy"):
        market.liquidate(roles.looper, UNLIMITED, 0, sender=roles.keeper)
    slash_and_sync(leveraged, WAD // 8)
    view = protocol.lens.position(market.address, roles.looper)
    assert tuple(view) == expected_position(leveraged, roles.looper)
    assert view.liquidatable
    assert protocol.oracle.fundamental() < view.liquidation_price
    protocol.liquidator.liquidate(
        market.address, roles.looper, UNLIMITED, SWAP, 0, sender=roles.keeper
    )
    view = protocol.lens.position(market.address, roles.looper)
    assert tuple(view) == expected_position(leveraged, roles.looper)
    assert not view.liquidatable


def test_position__market_falls__is_deleverageable_where_the_market_says_so(
    leveraged: Deployment,
) -> None:
    """Hour by hour into a depeg: healthy, then a part may go, then it is too deep for one."""
    protocol, roles = leveraged.protocol, leveraged.roles
    market, oracle = protocol.market, protocol.oracle
    leveraged.world.fund(roles.keeper, weth=100 * ETHER)
    leveraged.world.core.weth.approve(market.address, UNLIMITED, sender=roles.keeper)
    seen = []
    for _ in range(30):
        leveraged.chain.advance(3_600)
        leveraged.answer_fundamental(discount=3 * WAD // 20)
        oracle.poke()
        view = protocol.lens.position(market.address, roles.looper)
        assert tuple(view) == expected_position(leveraged, roles.looper)
        assert not view.liquidatable
        if view.deleverageable:
            market.liquidate.call(roles.looper, 1, 0, sender=roles.keeper)
            why = "a part"
        else:
            with pytest.raises(Revert) as failure:
                market.liquidate.call(roles.looper, 1, 0, sender=roles.keeper)
            why = failure.value.reason
        if why not in seen:
            seen.append(why)
    assert seen == ["market: healthy", "a part", "market: too deep to deleverage"]


def test_position__feed_not_usable__is_not_deleverageable(leveraged: Deployment) -> None:
    protocol, looper = leveraged.protocol, leveraged.roles.looper
    for _ in range(12):
        leveraged.chain.advance(3_600)
        leveraged.answer_fundamental(discount=WAD // 10)
        protocol.oracle.poke()
    assert protocol.lens.position(protocol.market.address, looper).deleverageable
    leveraged.chain.advance(2 * DAY)
    view = protocol.lens.position(protocol.market.address, looper)
    assert tuple(view) == expected_position(leveraged, looper)
    assert not view.deleverageable
    assert view.market_health < WAD


def test_position__collateral_without_a_debt__has_no_end_of_health(scene: Deployment) -> None:
    open_leveraged(scene, ETHER, 0)
    view = scene.protocol.lens.position(scene.protocol.market.address, scene.roles.looper)
    assert view.health == view.market_health == UNLIMITED
    assert (view.ltv, view.liquidatable, view.liquidation_price) == (0, False, 0)
    assert view.worth == view.collateral * scene.protocol.oracle.fundamental() // PRICE_SCALE


def test_position__nobodys__is_nothing(scene: Deployment) -> None:
    stranger = scene.roles.stranger
    view = scene.protocol.lens.position(scene.protocol.market.address, stranger)
    assert tuple(view) == (stranger, 0, 0, 0, 0, UNLIMITED, UNLIMITED, False, False, 0)


def test_vault__slashed_and_exiting__is_recomputed(leveraged: Deployment) -> None:
    protocol, roles = leveraged.protocol, leveraged.roles
    vault, adapter = protocol.vault, protocol.eigenlayer
    vault.deallocate(adapter.address, 50 * ETHER + 1, sender=roles.allocator)
    leveraged.world.slash(WAD // 7)
    view = protocol.lens.vault(vault.address)
    total, supply = vault.totalAssets(), vault.totalSupply()
    loss = vault.booked(adapter.address) - adapter.total_assets()
    locked = vault.locked_profit()
    assert loss > locked
    live = total + locked - loss
    assert tuple(view)[:-1] == (
        WAD * (total + 10**9) // (supply + 10**9),
        WAD * (live + 10**9) // (supply + 10**9),
        total,
        supply,
        vault.idle(),
        locked,
        0,
        0,
        vault.unrecovered_loss(),
        vault.deposit_cap(),
        0,
    )
    assert view.live_rate < view.rate
    stake, other = view.adapters
    assert tuple(stake) == (
        adapter.address,
        vault.booked(adapter.address),
        adapter.total_assets(),
        adapter.exiting(),
        0,
        *vault.adapter_caps(adapter.address),
        EXIT_BLOCKS * SECONDS_A_BLOCK,
        False,
        0,
    )
    assert stake.exiting > 0
    assert (other.adapter, other.booked) == (protocol.symbiotic.address, 0)


def test_vault__slash_requested__shows_what_is_at_risk(leveraged: Deployment) -> None:
    protocol, world = leveraged.protocol, leveraged.world
    symbiotic = protocol.symbiotic
    amount = protocol.vault.idle() // 3
    protocol.vault.allocate(symbiotic.address, amount, sender=leveraged.roles.allocator)
    leveraged.chain.advance(1)
    world.symbiotic.request_slash(amount // 2)
    _, stake = protocol.lens.vault(protocol.vault.address).adapters
    assert stake.at_risk == symbiotic.value_at_risk() > amount // 2
    assert stake.exit_delay == symbiotic.exit_delay()


def test_vault__paused_and_one_adapter_in_quarantine__shows_both(leveraged: Deployment) -> None:
    protocol, roles = leveraged.protocol, leveraged.roles
    vault, adapter = protocol.vault, protocol.eigenlayer
    vault.pause(DAY, sender=roles.guardian)
    paused_until = leveraged.chain.timestamp + DAY
    vault.quarantine(adapter.address, sender=roles.owner)
    view = protocol.lens.vault(vault.address)
    assert abs(view.paused_until - paused_until) <= 1
    assert view.paused_until == vault.paused_until()
    other, stake = view.adapters
    assert (other.adapter, other.quarantined) == (protocol.symbiotic.address, False)
    assert (stake.adapter, stake.quarantined, stake.booked) == (adapter.address, True, 0)
    assert stake.expected == protocol.side_pocket.expected_of(adapter.address) > 0
    assert stake.live == adapter.total_assets()


def test_vault__one_request_paid_and_one_waiting__shows_both(leveraged: Deployment) -> None:
    protocol, who = leveraged.protocol, leveraged.roles.depositor
    vault, queue = protocol.vault, protocol.queue
    restake(leveraged, 20 * ETHER)
    vault.approve(queue.address, 8 * ETHER, sender=who)
    queue.requestRedeem(5 * ETHER, who, who, sender=who)
    leveraged.chain.advance(queue.wait())
    queue.finalize(1)
    queue.requestRedeem(3 * ETHER, who, who, sender=who)
    view = protocol.lens.vault(vault.address)
    assert view.set_aside == leveraged.world.core.wsteth.balanceOf(queue.address) > 0
    assert view.queued_shares == 3 * ETHER


def test_vault__without_a_queue__shows_nothing_waiting(leveraged: Deployment) -> None:
    protocol, world = leveraged.protocol, leveraged.world
    owner, wsteth = world.roles.owner, world.core.wsteth
    world.fund(owner, wsteth=10**15)
    address = contract_address(leveraged.chain, owner, after=1)
    wsteth.approve(address, 10**15, sender=owner)
    arguments = (wsteth.address, "Bare", "BARE", owner, owner, 1, 0, owner)
    vault = leveraged.chain.deploy(artifact("LRTVault"), *arguments, sender=owner)
    view = protocol.lens.vault(vault.address)
    assert (view.idle, view.queued_shares, view.set_aside) == (10**15, 0, 0)


def test_vault__adapter_that_cannot_be_read__is_answered_by_zero(leveraged: Deployment) -> None:
    protocol, chain = leveraged.protocol, leveraged.chain
    before = protocol.lens.vault(protocol.vault.address)
    chain.set_code(protocol.eigenlayer.address, bytes.fromhex("5f5ffd"))
    view = protocol.lens.vault(protocol.vault.address)
    stake, other = view.adapters
    assert stake == before.adapters[0]._replace(live=0, exiting=0, at_risk=0, exit_delay=0)
    assert view == before._replace(live_rate=0, adapters=[stake, other])
    # The oracle has no price to borrow at then, and the rest of its view goes on.
    oracle = protocol.lens.oracle(protocol.oracle.address)
    assert oracle.borrow_price == 0
    assert oracle.feed_usable


def test_oracle__half_smoothed__is_recomputed(leveraged: Deployment) -> None:
    protocol = leveraged.protocol
    vault, oracle, wsteth = protocol.vault, protocol.oracle, leveraged.world.core.wsteth
    speed, gap = oracle.DISCOUNT_SPEED(), oracle.MAX_GAP()
    fundamental = vault.rate() * wsteth.stEthPerToken()
    answer = leveraged.feed.proxy.latestAnswer() * WAD
    stored = speed * 1_800
    now = min((fundamental - answer) * WAD // fundamental, stored + speed * min(600, gap))
    elapsed = leveraged.chain.timestamp - oracle.checkpoint_time()
    ratio = oracle.checkpoint_ratio()
    view = protocol.lens.oracle(oracle.address)
    assert tuple(view) == (
        fundamental,
        answer,
        True,
        fundamental * (WAD - now) // WAD,
        stored,
        ratio + ratio * oracle.MAX_GROWTH() * elapsed // (WAD * 365 * DAY),
        answer,
        True,
    )


def test_oracle__stale_feed__has_no_borrow_price(leveraged: Deployment) -> None:
    protocol = leveraged.protocol
    leveraged.chain.advance(2 * DAY)
    view = protocol.lens.oracle(protocol.oracle.address)
    assert (view.market, view.feed_usable, view.borrow_price) == (0, False, 0)
    assert view.discount == protocol.oracle.discount() > 0
    assert view.smoothed_market == view.fundamental * (WAD - view.discount) // WAD
    with pytest.raises(Revert):
        protocol.oracle.price()


def test_market__with_interest_and_fees__is_recomputed(leveraged: Deployment) -> None:
    protocol, weth = leveraged.protocol, leveraged.world.core.weth
    market, vault = protocol.market, protocol.vault
    state = market.state()
    view = protocol.lens.market(market.address)
    assert view.state == state
    assert tuple(view.caps) == tuple(market.caps())
    assert view.cash == state.supply_assets - state.borrow_assets == weth.balanceOf(market.address)
    assert view.utilisation == state.borrow_assets * WAD // state.supply_assets
    assert view.borrow_rate == market.borrow_rate() > 0
    assert view.loan_held == weth.balanceOf(market.address)
    positions = [market.position(o)[0] for o in (leveraged.roles.looper, leveraged.roles.borrower)]
    assert view.collateral_held == vault.balanceOf(market.address) == sum(positions)
    assert view.protocol_shares == market.balanceOf(market.address) > 0


def test_market__halted__shows_until_when(leveraged: Deployment) -> None:
    protocol, roles = leveraged.protocol, leveraged.roles
    market, lens = protocol.market, protocol.lens
    leveraged.world.fund(roles.keeper, weth=100 * ETHER)
    leveraged.world.core.weth.approve(market.address, UNLIMITED, sender=roles.keeper)
    leveraged.answer_fundamental()
    borrow_against(leveraged, 10 * ETHER, 10 * ETHER, roles.stranger)
    slash_and_sync(leveraged, 9 * WAD // 10)
    # Together more than 1 % of what is lent.
    for owner in (roles.looper, roles.stranger):
        assert lens.market(market.address).halted_until == 0
        receipt = market.liquidate(owner, UNLIMITED, 0, sender=roles.keeper)
    (halt,) = [event for event in receipt.events if event.name == "BorrowingHalted"]
    until = halt.args["until"]
    assert lens.market(market.address).halted_until == market.halted_until() == until
    leveraged.chain.advance(until - receipt.timestamp)
    assert lens.market(market.address).halted_until == 0


def test_snapshot__of_many__is_the_parts_of_one_block(leveraged: Deployment) -> None:
    protocol, roles, chain = leveraged.protocol, leveraged.roles, leveraged.chain
    lens, market = protocol.lens, protocol.market.address
    owners = [roles.looper, roles.borrower, roles.stranger, roles.looper]
    view = protocol.snapshot(*owners)
    assert view.time == chain.timestamp
    assert view.block in (chain.block_number, chain.block_number + 1)
    assert view.vault == lens.vault(protocol.vault.address)
    assert view.oracle == lens.oracle(protocol.oracle.address)
    assert view.market == lens.market(market)
    assert view.positions == [lens.position(market, owner) for owner in owners]


def test_snapshot__of_64_owners__answers_and_of_65_reverts(scene: Deployment) -> None:
    owners = [scene.roles.borrower] * 64
    assert len(scene.protocol.snapshot(*owners).positions) == 64
    with reverts(""):
        scene.protocol.snapshot(*owners, scene.roles.borrower)


def test_snapshot__no_owner__has_no_positions(scene: Deployment) -> None:
    assert scene.protocol.snapshot().positions == []


def test_position__on_the_edge__follows_the_markets_condition(scene: Deployment) -> None:
    """At the liquidation price it is healthy, one unit below it is not."""
    borrow_against(scene, 3 * ETHER + 1, 2 * ETHER + 3, owner=scene.roles.trader)
    market = scene.protocol.market
    view = scene.protocol.lens.position(market.address, scene.roles.trader)
    threshold = market.terms().threshold
    at, below = view.liquidation_price, view.liquidation_price - 1
    assert view.debt * WAD <= view.collateral * at // PRICE_SCALE * threshold
    assert view.debt * WAD > view.collateral * below // PRICE_SCALE * threshold


def test_snapshot__router_closed__shows_an_empty_position(leveraged: Deployment) -> None:
    protocol, looper = leveraged.protocol, leveraged.roles.looper
    collateral, _ = protocol.market.position(looper)
    protocol.router.close(protocol.market.address, collateral, UNLIMITED, SWAP, FREE, sender=looper)
    (view,) = protocol.snapshot(looper).positions
    assert tuple(view) == expected_position(leveraged, looper)
