"""Each replica works in everything but its flaw.

The same story holds on all of them, and the attack that a flaw allows works on its replica, and not
on the sound suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from eth_abi import encode

from relever.artifacts import artifact
from relever.baselayer import World, build_world, deploy_core
from relever.chain import Anvil, Chain, Revert
from relever.fuzz.replicas import deploying, prepare, replicas
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment, deploy
from tests.scene import (
    DAY,
    ETHER,
    NO_DEADLINE,
    SWAP,
    borrow_against,
    lend,
    open_leveraged,
    pass_days,
    price_e36,
    restake,
    slash_and_sync,
    worth,
)

HOUR = 3_600
FREE = (0, UNLIMITED, 0, NO_DEADLINE, 0)
REPLICAS = replicas()
# Of the whole protocol's rounding in one story, smallest units.
DUST = 10


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Anvil.start() as node:
        yield build_world(deploy_core(Chain.connect(node.ipc)))


@contextmanager
def sound(world: World) -> Iterator[Deployment]:
    with world.chain.isolated():
        yield deploy(world)


@contextmanager
def broken(world: World, number: int) -> Iterator[Deployment]:
    with world.chain.isolated(), deploying(number):
        yield deploy(world)


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """All at once, side by side, where it has to be done."""
    prepare(REPLICAS.values())


# The story


def test_replicas__sound_suite__the_story_holds(world: World) -> None:
    with sound(world) as scene:
        tell(scene)


@pytest.mark.parametrize("number", REPLICAS, ids=lambda number: str(REPLICAS[number]))
def test_replicas__each__the_story_holds(world: World, number: int) -> None:
    with broken(world, number) as scene:
        tell(scene)


def tell(scene: Deployment) -> None:
    """Everybody comes, earns, borrows, leaves: no bound is tried, and all add up."""
    enter_and_stake(scene)
    borrow_and_repay(scene)
    earn(scene)
    leave_by_the_queue(scene)
    lose_and_liquidate(scene)
    go_home(scene)


def enter_and_stake(scene: Deployment) -> None:
    protocol, roles, core = scene.protocol, scene.roles, scene.world.core
    vault, allocator = protocol.vault, roles.allocator
    lend(scene, 1_000 * ETHER)
    owned = protocol.market.convertToAssets(protocol.market.balanceOf(roles.lender))
    assert 1_000 * ETHER - owned in range(DUST)
    restake(scene, 300 * ETHER)
    scene.world.fund(roles.trader, weth=12 * ETHER)
    core.weth.approve(protocol.zap.address, 12 * ETHER, sender=roles.trader)
    zap_in = (core.weth.address, 12 * ETHER, 0, roles.trader)
    protocol.zap.deposit(*zap_in, sender=roles.trader)
    # A wstETH is worth 1.2 ether, and so is a share.
    assert 10 * ETHER - vault.balanceOf(roles.trader) in range(DUST)
    vault.allocate(protocol.eigenlayer.address, 120 * ETHER, sender=allocator)
    vault.allocate(protocol.symbiotic.address, 60 * ETHER, sender=allocator)
    assert protocol.eigenlayer.total_assets() == 120 * ETHER
    assert protocol.symbiotic.total_assets() == 60 * ETHER


def borrow_and_repay(scene: Deployment) -> None:
    protocol, roles, weth = scene.protocol, scene.roles, scene.world.core.weth
    market, borrower = protocol.market, roles.borrower
    borrow_against(scene, 20 * ETHER, 12 * ETHER)
    open_leveraged(scene, 3 * ETHER, 18 * ETHER)
    collateral, debt = market.position(roles.looper)
    assert 18 * ETHER - collateral in range(DUST)
    assert debt >= 18 * ETHER
    weth.approve(market.address, UNLIMITED, sender=borrower)
    market.repay(2 * ETHER, borrower, sender=borrower)
    assert debt_of(scene, borrower) <= 10 * ETHER + WAD // 10**6
    market.withdraw_collateral(ETHER, borrower, borrower, sender=borrower)
    assert collateral_of(scene, borrower) == 19 * ETHER
    protocol.router.close(market.address, ETHER, ETHER, SWAP, FREE, sender=roles.looper)
    left, owed = market.position(roles.looper)
    assert left == collateral - ETHER
    assert owed < debt


def earn(scene: Deployment) -> None:
    protocol, roles, wsteth = scene.protocol, scene.roles, scene.world.core.wsteth
    vault, market = protocol.vault, protocol.market
    rate, price = vault.rate(), price_e36(scene)
    scene.world.fund(roles.stranger, wsteth=2 * ETHER)
    wsteth.approve(vault.address, ETHER, sender=roles.stranger)
    vault.pay_rewards(ETHER, sender=roles.stranger)
    symbiotic = scene.world.symbiotic.veto.vault
    wsteth.approve(symbiotic.address, ETHER, sender=roles.stranger)
    symbiotic.deposit(protocol.symbiotic.address, ETHER, sender=roles.stranger)
    vault.sync(sender=roles.keeper)
    assert vault.booked(protocol.symbiotic.address) == 61 * ETHER
    pass_days(scene, 8)
    protocol.oracle.poke(sender=roles.keeper)
    assert vault.rate() > rate
    assert price < price_e36(scene) <= protocol.oracle.growth_cap()
    assert protocol.oracle.price() <= price_e36(scene)
    assert market.state().borrow_assets > 0
    assert market.convertToAssets(market.balanceOf(roles.lender)) > 1_000 * ETHER


def leave_by_the_queue(scene: Deployment) -> None:
    protocol, roles, wsteth = scene.protocol, scene.roles, scene.world.core.wsteth
    vault, queue, depositor = protocol.vault, protocol.queue, roles.depositor
    had, due = wsteth.balanceOf(depositor), vault.convertToAssets(50 * ETHER)
    vault.approve(queue.address, 50 * ETHER, sender=depositor)
    queue.requestRedeem(50 * ETHER, depositor, depositor, sender=depositor)
    scene.chain.advance(HOUR)
    queue.finalize(1, sender=roles.keeper)
    queue.claim(1, depositor, sender=depositor)
    assert due - DUST <= wsteth.balanceOf(depositor) - had <= due
    assert queue.set_aside() == vault.queued_shares() == 0
    vault.redeem(ETHER, depositor, depositor, sender=depositor)


def lose_and_liquidate(scene: Deployment) -> None:
    protocol, roles, weth = scene.protocol, scene.roles, scene.world.core.weth
    market, trader = protocol.market, roles.trader
    borrow_against(scene, 10 * ETHER, worth(scene, 10 * ETHER) * 90 // 100, owner=trader)
    debt = debt_of(scene, trader)
    slash_and_sync(scene, WAD // 5)
    assert worth(scene, 10 * ETHER) * 93 < debt * 100
    scene.world.fund(roles.liquidator, weth=debt)
    weth.approve(market.address, debt, sender=roles.liquidator)
    market.liquidate(trader, debt, 0, sender=roles.liquidator)
    collateral, left = market.position(trader)
    assert collateral < 10 * ETHER
    assert left < debt
    assert protocol.vault.balanceOf(roles.liquidator) == 10 * ETHER - collateral


def go_home(scene: Deployment) -> None:
    """All debts are paid, all collateral goes, and the lender gets more than was lent."""
    protocol, roles, weth = scene.protocol, scene.roles, scene.world.core.weth
    market = protocol.market
    held = collateral_of(scene, roles.looper)
    loan = debt_of(scene, roles.looper)
    scene.world.fund(roles.looper, weth=loan * 2)
    for owner in (roles.borrower, roles.looper, roles.trader):
        scene.world.fund(owner, weth=ETHER)
        weth.approve(market.address, UNLIMITED, sender=owner)
        market.repay(UNLIMITED // 2, owner, sender=owner)
        assert debt_of(scene, owner) == 0
        collateral = collateral_of(scene, owner)
        market.withdraw_collateral(collateral, owner, owner, sender=owner)
    assert protocol.vault.balanceOf(roles.looper) == held
    assert protocol.vault.balanceOf(market.address) == 0
    had, lender = weth.balanceOf(roles.lender), roles.lender
    market.redeem(market.balanceOf(lender), lender, lender, sender=lender)
    assert weth.balanceOf(lender) - had > 1_000 * ETHER


# The attacks: whether what no user must be able to do could be done


def move_the_price_by_a_donation(scene: Deployment) -> bool:
    restake(scene, 100 * ETHER)
    before = price_e36(scene)
    donate(scene, scene.protocol.vault.address)
    return price_e36(scene) > before


def take_collateral_out_of_a_debt(scene: Deployment) -> bool:
    lend(scene, 100 * ETHER)
    borrow_against(scene, 20 * ETHER, 21 * ETHER)
    market, borrower = scene.protocol.market, scene.roles.borrower
    market.withdraw_collateral(10 * ETHER, borrower, borrower, sender=borrower)
    return is_unhealthy(scene)


def donate_to_the_lenders(scene: Deployment) -> bool:
    market, roles, weth = scene.protocol.market, scene.roles, scene.world.core.weth
    lend(scene, ETHER)
    scene.world.fund(roles.stranger, weth=100 * ETHER)
    weth.transfer(market.address, 100 * ETHER, sender=roles.stranger)
    lend(scene, ETHER, lender=roles.stranger)
    return bool(market.convertToAssets(market.balanceOf(roles.lender)) > 2 * ETHER)


def open_at_a_delisted_market(scene: Deployment) -> bool:
    protocol, roles = scene.protocol, scene.roles
    lend(scene, 100 * ETHER)
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    return bool(debt_of(scene, roles.looper) > 0)


def take_out_more_than_the_shares_are_worth(scene: Deployment) -> bool:
    market, lender = scene.protocol.market, scene.roles.lender
    lend(scene, 100 * ETHER)
    borrow_against(scene, 80 * ETHER, 80 * ETHER)
    pass_days(scene, 30)
    for amount in range(1_000, 1_100):
        cost = market.previewWithdraw(amount)
        if market.previewRedeem(cost) < amount:
            market.withdraw(amount, lender, lender, sender=lender)
            return True
    return False


def borrow_more_than_the_collateral_carries(scene: Deployment) -> bool:
    lend(scene, 100 * ETHER)
    borrow_against(scene, 10 * ETHER, 50 * ETHER)
    return is_unhealthy(scene)


def repay_at_the_others_cost(scene: Deployment) -> bool:
    market, roles = scene.protocol.market, scene.roles
    lend(scene, 100 * ETHER)
    for owner in (roles.borrower, roles.trader):
        borrow_against(scene, 20 * ETHER, 10 * ETHER, owner=owner)
    before = debt_of(scene, roles.trader)
    scene.world.core.weth.approve(market.address, 5 * ETHER, sender=roles.borrower)
    market.repay(5 * ETHER, roles.borrower, sender=roles.borrower)
    return bool(debt_of(scene, roles.trader) > before + ETHER // 10)


def borrow_at_an_old_price(scene: Deployment) -> bool:
    lend(scene, 100 * ETHER)
    scene.chain.advance(30 * DAY)
    borrow_against(scene, 20 * ETHER, 10 * ETHER)
    return True


def zap_with_the_tokens_of_another(scene: Deployment) -> bool:
    protocol, roles, wsteth = scene.protocol, scene.roles, scene.world.core.wsteth
    scene.world.fund(roles.looper, wsteth=5 * ETHER)
    wsteth.approve(protocol.zap.address, UNLIMITED, sender=roles.looper)
    into = (wsteth.address, 5 * ETHER, 0, roles.looper)
    protocol.zap.deposit(*into, sender=roles.stranger)
    return bool(protocol.vault.balanceOf(roles.stranger) > 0)


def liquidate_by_a_setting(scene: Deployment) -> bool:
    market, roles = scene.protocol.market, scene.roles
    lend(scene, 100 * ETHER)
    borrow_against(scene, 20 * ETHER, 21 * ETHER)
    caps = market.caps()
    market.set_caps((caps.supply, 0, caps.fee), sender=roles.guardian)
    return liquidates(scene)


def liquidate_for_the_market_price(scene: Deployment) -> bool:
    protocol, roles = scene.protocol, scene.roles
    lend(scene, 100 * ETHER)
    borrow_against(scene, 20 * ETHER, worth(scene, 20 * ETHER) * 905 // 1_000)
    scene.answer_fundamental(WAD // 10)
    protocol.oracle.poke(sender=roles.keeper)
    for _ in range(7):
        scene.chain.advance(HOUR)
        protocol.oracle.poke(sender=roles.keeper)
    return liquidates(scene, in_full=True)


def take_a_spot_price_over(scene: Deployment) -> bool:
    scene.answer_fundamental(WAD // 10)
    scene.protocol.oracle.poke(sender=scene.roles.stranger)
    return bool(scene.protocol.oracle.discount() > WAD // 100)


def call_back_out_of_the_blue(scene: Deployment) -> bool:
    return takes_what_lies_there(scene, scene.roles.stranger)


def mint_one_to_one(scene: Deployment) -> bool:
    vault, roles = scene.protocol.vault, scene.roles
    restake(scene, 100 * ETHER)
    pay_rewards(scene)
    pass_days(scene, 8)
    preview = vault.previewDeposit(10 * ETHER)
    restake(scene, 10 * ETHER, depositor=roles.trader)
    return bool(vault.balanceOf(roles.trader) > preview)


def make_a_market_with_wrong_decimals(scene: Deployment) -> bool:
    protocol, stranger = scene.protocol, scene.roles.stranger
    oracle = scene.chain.deploy(artifact("ConstantOracle"), 10**18, sender=stranger)
    terms = protocol.market.terms()._replace(oracle=oracle.address)
    protocol.factory.create_market(tuple(terms), "Trap", "TRAP", sender=stranger)
    return True


def raise_the_rate_by_a_donation(scene: Deployment) -> bool:
    vault = scene.protocol.vault
    restake(scene, 100 * ETHER)
    donate(scene, vault.address)
    vault.sync(sender=scene.roles.stranger)
    return bool(vault.rate() > WAD)


def call_back_after_the_call(scene: Deployment) -> bool:
    lend(scene, 100 * ETHER)
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    return takes_what_lies_there(scene, scene.roles.looper)


def pay_the_router_with_shares_of_the_market(scene: Deployment) -> bool:
    protocol, lender = scene.protocol, scene.roles.lender
    market = protocol.market
    donate(scene, protocol.router.address)
    lend(scene, ETHER)
    market.approve(protocol.router.address, ETHER, sender=lender)
    paid = (market.address, market.address, ETHER, 0, FREE)
    protocol.router.open(*paid, sender=lender)
    return bool(collateral_of(scene, lender) > 0)


def borrow_at_no_price(scene: Deployment) -> bool:
    lend(scene, 100 * ETHER)
    scene.feed.answer(1)
    borrow_against(scene, 10 * ETHER, 50 * ETHER)
    return is_unhealthy(scene)


def believe_a_high_feed(scene: Deployment) -> bool:
    scene.answer_fundamental(-WAD // 20)
    return bool(scene.protocol.oracle.price() > price_e36(scene))


def replace_the_feed(scene: Deployment) -> bool:
    oracle, owner = scene.protocol.oracle, scene.roles.owner
    other = scene.world.feed("rLRT / WETH, another")
    other.answer(price_e36(scene) // WAD)
    before = price_e36(scene)
    oracle.propose_feed(other.proxy.address, sender=owner)
    pass_days(scene, 8)
    other.answer(price_e36(scene) // WAD)
    oracle.replace_feed(sender=owner)
    return price_e36(scene) < before * 9 // 10


def raise_the_rate_by_rewards(scene: Deployment) -> bool:
    restake(scene, 100 * ETHER)
    pay_rewards(scene)
    return bool(scene.protocol.vault.rate() > WAD * 1_001 // 1_000)


def promote_a_checkpoint(scene: Deployment) -> bool:
    oracle, keeper = scene.protocol.oracle, scene.roles.keeper
    scene.chain.advance(10 * DAY)
    scene.world.accrue_rewards(scene.world.core.steth.getTotalPooledEther() // 500)
    before = price_e36(scene)
    oracle.propose_checkpoint(sender=keeper)
    scene.chain.advance(DAY)
    oracle.promote_checkpoint(sender=keeper)
    return price_e36(scene) < before


def borrow_on_a_burst_of_supply(scene: Deployment) -> bool:
    lend(scene, 100 * ETHER)
    restake(scene, 40_000 * ETHER, depositor=scene.roles.borrower)
    borrow_against(scene, 20 * ETHER, 10 * ETHER)
    return True


def borrow_at_par(scene: Deployment) -> bool:
    lend(scene, 100 * ETHER)
    scene.answer_fundamental(WAD // 2)
    borrow_against(scene, 20 * ETHER, 20 * ETHER)
    return True


ATTACKS: dict[int, Callable[[Deployment], bool]] = {
    3: move_the_price_by_a_donation,
    5: take_collateral_out_of_a_debt,
    6: donate_to_the_lenders,
    10: open_at_a_delisted_market,
    12: take_out_more_than_the_shares_are_worth,
    13: borrow_more_than_the_collateral_carries,
    14: repay_at_the_others_cost,
    15: borrow_at_an_old_price,
    16: zap_with_the_tokens_of_another,
    17: liquidate_by_a_setting,
    18: liquidate_for_the_market_price,
    20: take_a_spot_price_over,
    21: call_back_out_of_the_blue,
    22: mint_one_to_one,
    23: make_a_market_with_wrong_decimals,
    25: raise_the_rate_by_a_donation,
    26: call_back_after_the_call,
    29: pay_the_router_with_shares_of_the_market,
    30: borrow_at_no_price,
    34: borrow_more_than_the_collateral_carries,
    38: believe_a_high_feed,
    40: replace_the_feed,
    41: raise_the_rate_by_rewards,
    42: promote_a_checkpoint,
    45: borrow_on_a_burst_of_supply,
    48: borrow_at_par,
}


def test_replicas__all__have_an_attack() -> None:
    assert ATTACKS.keys() == REPLICAS.keys()


@pytest.mark.parametrize("number", REPLICAS, ids=lambda number: str(REPLICAS[number]))
def test_replicas__each__its_attack_works(world: World, number: int) -> None:
    with broken(world, number) as scene:
        assert ATTACKS[number](scene)


def test_replicas__sound_suite__refuses_every_attack(world: World) -> None:
    with sound(world) as scene:
        for attack in dict.fromkeys(ATTACKS.values()):
            with scene.chain.isolated():
                assert not works(attack, scene), attack.__name__


def works(attack: Callable[[Deployment], bool], scene: Deployment) -> bool:
    try:
        return attack(scene)
    except Revert:
        return False


def collateral_of(scene: Deployment, owner: str) -> int:
    return int(scene.protocol.market.position(owner)[0])


def debt_of(scene: Deployment, owner: str) -> int:
    return int(scene.protocol.market.position(owner)[1])


def donate(scene: Deployment, to: str) -> None:
    """A stranger sends ten wstETH without a call."""
    stranger = scene.roles.stranger
    scene.world.fund(stranger, wsteth=10 * ETHER)
    scene.world.core.wsteth.transfer(to, 10 * ETHER, sender=stranger)


def pay_rewards(scene: Deployment) -> None:
    """A stranger pays a wstETH to the holders of the LRT."""
    vault, stranger = scene.protocol.vault, scene.roles.stranger
    scene.world.fund(stranger, wsteth=ETHER)
    scene.world.core.wsteth.approve(vault.address, ETHER, sender=stranger)
    vault.pay_rewards(ETHER, sender=stranger)


def is_unhealthy(scene: Deployment) -> bool:
    """Whether the borrower owes more than the fundamental price allows."""
    collateral, debt = scene.protocol.market.position(scene.roles.borrower)
    allowed: int = scene.protocol.market.terms().max_ltv
    return bool(debt * WAD > collateral * price_e36(scene) // PRICE_SCALE * allowed)


def liquidates(scene: Deployment, in_full: bool = False) -> bool:
    """Whether the borrower can be liquidated; or, in full, by more than a deleverage."""
    market, roles, weth = scene.protocol.market, scene.roles, scene.world.core.weth
    debt = debt_of(scene, roles.borrower)
    scene.world.fund(roles.liquidator, weth=debt)
    weth.approve(market.address, debt, sender=roles.liquidator)
    done = market.liquidate(roles.borrower, debt, 0, sender=roles.liquidator)
    (said,) = [event for event in done.events if event.name == "Liquidated"]
    return not (in_full and said.args["deleverage"])


def takes_what_lies_there(scene: Deployment, caller: str) -> bool:
    """Whether who calls the router back gets what somebody has sent it by mistake."""
    router, vault = scene.protocol.router, scene.protocol.vault
    donate(scene, router.address)
    before = vault.balanceOf(caller)
    data = encode(["uint256"] * 5, [0, 0, 0, ETHER, 0])
    router.on_adjust(caller, 0, 0, data, sender=caller)
    return bool(vault.balanceOf(caller) > before)
