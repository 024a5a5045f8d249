"""Borrowed money moves a price for one block, and a loan or a liquidation follows in that block.

Inverse, 2022-06-16 (5.8 million dollars), UwU, 2024-06-10 (19.3 million), Polter, 2024-11-19 (7
million): a pool's spot price was pushed. Makina, 2026-01-20 (5.1 million): a position's own value
was inflated by a flash loan. Here the pushed number would be the LRT's rate, by deposits and exits,
or the pool in which LRT is sold. What stops it: rate and price do not depend on how much goes in or
out, gains unlock over a week, and nothing that decides over a position reads a pool.
"""

from typing import Any

import pytest
from eth_abi import decode

from relever.chain import Contract
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from tests.attacks.purse import in_one_transaction, new_wallet, purse
from tests.lrt_paths import add_far_liquidity, push_lrt_price
from tests.scene import ETHER, open_leveraged, pass_days, reverts
from tests.unit.router.conftest import FREE

Step = tuple[str, bytes]
HUGE = 20_000 * ETHER


@pytest.fixture
def thief(scene: Deployment) -> Contract:
    """A contract with a fortune that it must give back."""
    wallet = new_wallet(scene, scene.roles.stranger)
    wsteth = scene.world.core.wsteth
    scene.world.fund(scene.roles.stranger, wsteth=HUGE)
    wsteth.transfer(wallet.address, HUGE, sender=scene.roles.stranger)
    # For a repayment's last wei.
    scene.world.fund(scene.roles.stranger, weth=1)
    scene.world.core.weth.transfer(wallet.address, 1, sender=scene.roles.stranger)
    return wallet


def step(contract: Contract, function: str, *arguments: Any) -> Step:
    return contract.address, getattr(contract, function).encode(*arguments)


def test_fortune__in_and_out_in_one_transaction__moves_no_price_and_earns_nothing(
    scene: Deployment, thief: Contract
) -> None:
    protocol, roles, core = scene.protocol, scene.roles, scene.world.core
    market, vault, oracle = protocol.market, protocol.vault, protocol.oracle
    me = thief.address
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    cash = market.maxFlashLoan(core.weth.address)
    shares = vault.previewDeposit(HUGE)
    loan = 100 * ETHER
    asked = [step(oracle, "price"), step(oracle, "fundamental"), step(vault, "rate")]
    victims = (roles.lender, roles.depositor, roles.looper, roles.borrower)
    mine, theirs = purse(scene, me), [purse(scene, victim) for victim in victims]

    actions = [
        step(core.wsteth, "approve", vault.address, UNLIMITED),
        step(core.weth, "approve", market.address, UNLIMITED),
        step(vault, "approve", market.address, UNLIMITED),
        step(vault, "deposit", HUGE, me),
        step(vault, "sync"),
        step(oracle, "poke"),
        step(market, "adjust", me, shares, loan, me),
        step(oracle, "poke"),
        step(market, "adjust", me, -shares, -2 * loan, me),
        step(vault, "redeem", shares // 100, me, me),
        step(oracle, "poke"),
    ]
    steps = [part for action in actions for part in (action, *asked)]
    outcomes = in_one_transaction(thief, steps, roles.stranger)

    assert all(done.success for done in outcomes)
    answers = [done.answer for place, done in enumerate(outcomes) if place % 4]
    told = [decode(["uint256"], answer)[0] for answer in answers]
    assert told == [oracle.price(), oracle.fundamental(), vault.rate()] * len(actions)
    assert market.maxFlashLoan(core.weth.address) >= cash
    # An exit pays a fee, to who stays; nothing else has moved.
    assert purse(scene, me) <= mine
    for victim, had in zip(victims, theirs, strict=True):
        assert purse(scene, victim) >= had
    for victim in (roles.looper, roles.borrower):
        with reverts("market: healthy"):
            market.liquidate(victim, UNLIMITED, 0, sender=roles.stranger)


def test_flash_loan__of_all_the_cash__moves_no_price_and_lends_no_more(
    scene: Deployment, thief: Contract
) -> None:
    """In the callback nothing is lent out and nothing is there: neither may show."""
    protocol, roles, core = scene.protocol, scene.roles, scene.world.core
    market, vault, oracle = protocol.market, protocol.vault, protocol.oracle
    cash = market.maxFlashLoan(core.weth.address)
    asked = [step(oracle, "price"), step(vault, "rate"), step(vault, "live_rate")]
    before = [oracle.price(), vault.rate(), vault.live_rate()]
    thief.run(core.weth.address, core.weth.approve.encode(market.address, UNLIMITED))
    thief.run(market.address, market.set_authorization.encode(protocol.router.address, True))
    mine, state = purse(scene, thief.address), market.state()
    tries = [
        step(market, "borrow", 1, thief.address, thief.address),
        step(market, "deposit", cash, thief.address),
        step(market, "redeem", 1, thief.address, thief.address),
        step(protocol.router, "open", market.address, core.weth.address, 0, ETHER, FREE),
    ]
    thief.set_steps([*asked, *tries, *asked])
    data = market.flashLoan.encode(thief.address, core.weth.address, cash, b"now")
    thief.run(market.address, data, sender=roles.stranger)
    outcomes = thief.all_outcomes()
    told = [decode(["uint256"], done.answer)[0] for done in (*outcomes[:3], *outcomes[-3:])]
    assert told == before * 2
    assert [done.success for done in outcomes[3:-3]] == [False] * len(tries)
    assert (purse(scene, thief.address), market.state()) == (mine, state)


@pytest.mark.parametrize("part", [9 * WAD // 10, 11 * WAD // 10])
def test_pool__pushed_down_or_up__lends_no_more_and_liquidates_nobody(
    scene: Deployment, part: int
) -> None:
    protocol, roles = scene.protocol, scene.roles
    market, oracle, attacker = protocol.market, protocol.oracle, roles.stranger
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    add_far_liquidity(scene)
    pass_days(scene, 1)
    limit = _borrow_to_the_limit(scene, attacker)
    if part < WAD:
        push_lrt_price(scene, part)
    else:
        _lift_lrt_price(scene, part)
    for _ in range(3):
        oracle.poke(sender=attacker)
        for victim in (roles.looper, roles.borrower, attacker):
            with reverts("market: healthy"):
                market.liquidate(victim, UNLIMITED, 0, sender=attacker)
        with reverts("market: unhealthy"):
            market.borrow(3, attacker, attacker, sender=attacker)
        assert market.position(attacker)[1] <= limit
    assert oracle.discount() == 0


def _borrow_to_the_limit(scene: Deployment, who: str) -> int:
    protocol, wsteth = scene.protocol, scene.world.core.wsteth
    market, vault = protocol.market, protocol.vault
    scene.world.fund(who, wsteth=50 * ETHER)
    wsteth.approve(vault.address, UNLIMITED, sender=who)
    vault.mint(40 * ETHER, who, sender=who)
    vault.approve(market.address, UNLIMITED, sender=who)
    worth = 40 * ETHER * protocol.oracle.price() // PRICE_SCALE
    limit: int = worth * market.terms().max_ltv // WAD
    market.adjust(who, 40 * ETHER, limit - 1, who, sender=who)
    return limit


def _lift_lrt_price(scene: Deployment, part: int) -> None:
    """A trader buys LRT until the pool's price has risen."""
    trader, core, pool = scene.roles.trader, scene.world.core, scene.lrt_pool
    before = pool.contract.slot0()[0]
    scene.world.fund(trader, weth=2_000 * ETHER)
    for _ in range(40):
        now = pool.contract.slot0()[0]
        lifted = max(now * WAD // before, before * WAD // now)
        if lifted * lifted // WAD >= part:
            return
        scene.world.swap(pool, core.weth, 20 * ETHER, trader)
    raise AssertionError("the pool took it all and did not move")
