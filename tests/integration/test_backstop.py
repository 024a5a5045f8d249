"""A liquidation that no pool would buy: the backstop does, waits as long as the protocol takes, is
paid, and its depositors have the gain; or share the loss of a slash in between. To the unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.chain import Contract, Revert
from relever.protocol import SEED, UNLIMITED, WAD, Deployment
from tests.lrt_paths import VAULT_VIRTUAL, pool_sale
from tests.scene import (
    BEST,
    DAY,
    ETHER,
    REDEEM,
    SWAP,
    back,
    empty_pool,
    open_leveraged,
    restake,
    slash_and_sync,
    stake_everything,
)
from tests.unit.router.conftest import prepare

UNLOCK_PERIOD = 14 * DAY
DISCOUNT = 5 * 10**15
SALE_LOSS = 2 * 10**14
LARGEST_SALE_LOSS = 5 * 10**15
FIRST, SECOND = 60 * ETHER, 40 * ETHER


@dataclass(frozen=True)
class Story:
    """Two depositors of 60 and 40 WETH; the looper's position was slashed below its threshold."""

    scene: Deployment

    @property
    def pool(self) -> Contract:
        return self.scene.protocol.backstop

    @property
    def queue(self) -> Contract:
        return self.scene.protocol.queue

    @property
    def people(self) -> tuple[str, str]:
        roles = self.scene.roles
        return roles.depositor, roles.lender

    def liquidate(self) -> tuple[int, int]:
        """A keeper without capital, by the best way; what the pool bought, and paid."""
        protocol, roles = self.scene.protocol, self.scene.roles
        receipt = protocol.liquidator.liquidate(
            protocol.market.address, roles.looper, UNLIMITED, BEST, 1, sender=roles.keeper
        )
        (bought,) = (event.args for event in receipt.events if event.name == "Bought")
        assert bought["amount"] == receipt.events[-1].args["seized"]
        return bought["amount"], bought["paid"]

    def wait_for_the_queue(self) -> int:
        """Strangers do all of it: patience, exit, EigenLayer's delay; returns the seconds."""
        scene, stranger = self.scene, self.scene.roles.stranger
        vault, adapter = scene.protocol.vault, scene.protocol.eigenlayer
        began = scene.chain.timestamp
        with pytest.raises(Revert) as failure:
            self.queue.pull_back(adapter.address, UNLIMITED, sender=stranger)
        assert failure.value.reason == "queue: not overdue"
        scene.chain.advance(self.queue.patience())
        pulled = self.queue.pull_back(adapter.address, UNLIMITED, sender=stranger).events[-1]
        with pytest.raises(Revert):
            vault.finish_exit(adapter.address, pulled.args["exit_id"], sender=stranger)
        scene.world.pass_withdrawal_delay()
        vault.finish_exit(adapter.address, pulled.args["exit_id"], sender=stranger)
        self.queue.finalize(8, sender=stranger)
        return scene.chain.timestamp - began

    def harvest(self, claim: int) -> tuple[int, int]:
        """By a stranger; the wstETH that the queue has paid, and the WETH that it was sold for."""
        lst = self.queue.request(claim).claimable_assets
        sale = pool_sale(self.scene.lst_pool, self.scene.world.core.wsteth.address, lst)
        receipt = self.pool.harvest([claim], sender=self.scene.roles.stranger)
        sold = receipt.events[-1].args
        assert (sold["sold"], sold["received"]) == (lst, sale.amount_out)
        return lst, sale.amount_out

    def in_weth(self, lst: int) -> int:
        """By stETH per wstETH."""
        return int(lst * self.scene.world.core.wsteth.stEthPerToken() // WAD)

    def leave(self) -> list[int]:
        """Both redeem all they have; what each is paid."""
        weth, paid = self.scene.world.core.weth, []
        for who in self.people:
            had = weth.balanceOf(who)
            self.pool.redeem(self.pool.balanceOf(who), who, who, sender=who)
            paid.append(weth.balanceOf(who) - had)
        return paid


def part(shares: int, total: int, supply: int) -> int:
    """Of all assets, rounded down."""
    return shares * (total + VAULT_VIRTUAL) // (supply + VAULT_VIRTUAL)


@pytest.fixture(scope="module")
def prepared(deployed: Deployment) -> Iterator[Story]:
    """The LRT's pool is empty, and nothing lies idle in the vault."""
    with deployed.chain.isolated():
        prepare(deployed)
        story = Story(deployed)
        for who, amount in zip(story.people, (FIRST, SECOND), strict=True):
            back(deployed, amount, who)
        open_leveraged(deployed, 3 * ETHER, 30 * ETHER)
        slash_and_sync(deployed, WAD // 10)
        stake_everything(deployed)
        empty_pool(deployed, deployed.lrt_pool)
        yield story


@pytest.fixture
def story(prepared: Story) -> Iterator[Story]:
    with prepared.scene.chain.isolated():
        yield prepared


def test_liquidation__with_an_empty_pool__is_bought_and_paid_in_full(story: Story) -> None:
    scene, pool = story.scene, story.pool
    protocol, roles = scene.protocol, scene.roles
    for route in (SWAP, REDEEM):
        with pytest.raises(Revert):
            protocol.liquidator.liquidate(
                protocol.market.address, roles.looper, UNLIMITED, route, 0, sender=roles.keeper
            )
    amount, cost = story.liquidate()
    total, supply = protocol.vault.live_total_assets(True), protocol.vault.totalSupply()
    lst = part(amount, total, supply)
    assert cost == story.in_weth(lst) * (WAD - DISCOUNT) // WAD
    claim = pool.enqueue.call(sender=roles.stranger)
    pool.enqueue(sender=roles.stranger)

    waited = story.wait_for_the_queue()

    assert waited >= protocol.queue.patience()
    paid, received = story.harvest(claim)
    # In full: the worth at request, but for what EigenLayer's shares round. Such units of the last
    # request wait for the next assets.
    assert lst - 10 <= paid <= lst
    fair = story.in_weth(paid)
    assert fair * (WAD - SALE_LOSS) // WAD <= received < fair
    gain = received - (cost - pool.claim_cost(claim))
    assert gain > story.in_weth(paid) * 45 // 10_000
    assert pool.locked_profit() == gain
    restake(scene, ETHER)
    story.queue.finalize(8)
    rest, received_after = story.harvest(claim)
    # A unit for each part that the queue pays.
    assert lst - 2 <= paid + rest <= lst
    assert pool.open_claims() == []
    received += received_after
    gain = received - cost
    assert pool.low_assets() == FIRST + SECOND + SEED + gain - pool.locked_profit()
    scene.chain.advance(UNLOCK_PERIOD)
    assets, shares = FIRST + SECOND + SEED + gain, FIRST + SECOND + SEED
    first = part(FIRST, assets, shares)
    second = part(SECOND, assets - first, shares - FIRST)
    assert story.leave() == [first, second]
    assert first + second - FIRST - SECOND > gain * 9_999 // 10_000
    assert pool.cash() == scene.world.core.weth.balanceOf(pool.address) == assets - first - second


def test_liquidation__with_a_slash_while_it_waits__is_shared_exactly(story: Story) -> None:
    scene, pool = story.scene, story.pool
    vault = scene.protocol.vault
    amount, cost = story.liquidate()
    claim = pool.enqueue.call()
    pool.enqueue()
    shares = FIRST + SECOND + SEED
    leaver, stayer = story.people
    # Half of what the first has goes into the line before the slash, more than there is cash for.
    pool.request_exit(FIRST, leaver, leaver, sender=leaver)
    assert pool.exit_at(1).worth == FIRST
    scene.world.slash(WAD // 5)
    # Nobody has booked it: both have lost the same part already.
    lst = part(amount, vault.live_total_assets(True), vault.totalSupply())
    least = story.in_weth(lst) * (WAD - LARGEST_SALE_LOSS) // WAD
    assert least < cost
    low = shares - cost + least
    assert pool.low_assets() == low
    assert pool.previewRedeem(SECOND) == part(SECOND, low, shares)
    vault.sync()
    assert pool.low_assets() == low
    story.wait_for_the_queue()
    before = pool.low_assets()
    paid, received = story.harvest(claim)
    booked = story.in_weth(paid) * (WAD - LARGEST_SALE_LOSS) // WAD
    assert pool.low_assets() == before == shares - cost + booked
    assert pool.locked_profit() == received - booked
    had = scene.world.core.weth.balanceOf(leaver)
    pool.serve(1)
    first = scene.world.core.weth.balanceOf(leaver) - had
    assert first == part(FIRST, before, shares)
    # What the sale brought above the least is of those who stay.
    scene.chain.advance(UNLOCK_PERIOD)
    left = shares - cost + received - first
    had = scene.world.core.weth.balanceOf(stayer)
    pool.redeem(SECOND, stayer, stayer, sender=stayer)
    second = scene.world.core.weth.balanceOf(stayer) - had
    assert second == part(SECOND, left, SECOND + SEED)
    assert pool.cash() == scene.world.core.weth.balanceOf(pool.address) == left - second
    assert 0 < second * FIRST - first * SECOND < SECOND * FIRST // 400


def test_liquidation__with_a_slash_while_it_waits__nobody_waiting__is_shared_exactly(
    story: Story,
) -> None:
    pool = story.pool
    _, cost = story.liquidate()
    claim = pool.enqueue.call()
    pool.enqueue()
    story.scene.world.slash(WAD // 5)
    story.wait_for_the_queue()
    _, received = story.harvest(claim)
    story.scene.chain.advance(UNLOCK_PERIOD)
    assets, shares = FIRST + SECOND + SEED - cost + received, FIRST + SECOND + SEED
    first = part(FIRST, assets, shares)
    second = part(SECOND, assets - first, shares - FIRST)
    assert story.leave() == [first, second]
    assert abs(first * SECOND - second * FIRST) <= (FIRST + SECOND) * 2
    assert first < FIRST


def test_sale__sandwiched_around_the_harvest__costs_who_tries(story: Story) -> None:
    """Push wstETH down, have it harvested, take it back; at several sizes."""
    scene, pool = story.scene, story.pool
    core, attacker = scene.world.core, scene.roles.trader
    story.liquidate()
    claim = pool.enqueue.call()
    pool.enqueue()
    story.wait_for_the_queue()
    lst = story.queue.request(claim).claimable_assets
    rate = core.wsteth.stEthPerToken() * (WAD - SALE_LOSS) // WAD
    outcomes = set()
    for amount in (ETHER, 20 * ETHER, 100 * ETHER, 300 * ETHER, 1_000 * ETHER, 3_000 * ETHER):
        with scene.chain.isolated():
            scene.world.fund(attacker, wsteth=amount)
            before = core.wsteth.balanceOf(attacker), core.weth.balanceOf(attacker), pool.cash()
            scene.world.swap(scene.lst_pool, core.wsteth, amount, attacker)
            pool.harvest([claim], sender=attacker)
            got = core.weth.balanceOf(attacker) - before[1]
            scene.world.swap(scene.lst_pool, core.weth, got, attacker)
            assert core.wsteth.balanceOf(attacker) < before[0]
            # What was sold was sold inside the bound, and what was not is still there.
            sold = lst - pool.lst()
            assert pool.cash() - before[2] >= sold * rate // WAD
            outcomes.add(sold == lst)
    assert outcomes == {True, False}
