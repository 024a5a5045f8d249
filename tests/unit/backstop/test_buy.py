import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, DAY, ROLES, SEED, WAD, Backstop


def test_buy__seized_lrt__is_paid_for_and_waits(backed: Backstop) -> None:
    pool, seller, amount = backed.pool, backed.liquidator, 7 * WAD
    paid = pool.quote(amount)
    lrt, weth = backed.vault.balanceOf(seller.address), backed.weth.balanceOf(seller.address)
    receipt = seller.sell(pool.address, backed.vault.address, amount)
    assert receipt.events == [
        backed.approved(backed.vault, seller.address, pool.address, amount),
        backed.approved(backed.vault, seller.address, pool.address, 0),
        backed.moved(backed.vault, seller.address, pool.address, amount),
        backed.moved(backed.weth, pool.address, seller.address, paid),
        backed.event("Bought", market=seller.address, amount=amount, paid=paid),
    ]
    assert (pool.unqueued(), pool.unqueued_cost()) == (amount, paid)
    assert pool.cash() == BACKED + SEED - paid
    assert backed.vault.balanceOf(seller.address) == lrt - amount
    assert backed.weth.balanceOf(seller.address) == weth + paid
    assert backed.vault.balanceOf(pool.address) == amount


def test_buy__marks__show_no_gain_to_who_leaves(backed: Backstop) -> None:
    pool = backed.pool
    low = pool.low_assets()
    paid = backed.sell(100 * WAD)
    assert pool.low_assets() == pool.totalAssets() == low == BACKED + SEED
    # Who joins pays for the discount.
    assert pool.joining()[0] == BACKED + SEED - paid + backed.worth(100 * WAD)
    assert pool.locked_profit() == 0


def test_buy__least_discount__does_not_lower_what_who_leaves_gets(backed: Backstop) -> None:
    backed.pool.set_discount(5 * 10**15, sender=backed.actors.owner)
    backed.slash(WAD // 7)
    for amount in (3, 4, 10**10 + 1, WAD + 1, 77 * WAD + 3):
        low = backed.pool.low_assets()
        backed.sell(amount)
        assert backed.pool.low_assets() >= low


@pytest.mark.parametrize("role", ROLES)
def test_buy__by_anyone_else__reverts(backed: Backstop, role: str) -> None:
    caller = getattr(backed.actors, role)
    backed.liquidator.set_seizing(backed.liquidator.address, WAD)
    with reverts("backstop: not the liquidator"):
        backed.pool.buy(WAD, sender=caller)


def test_buy__at_rest__reverts(backed: Backstop) -> None:
    with reverts("backstop: not seized now"):
        backed.liquidator.buy(backed.pool.address, backed.vault.address, WAD)


@pytest.mark.parametrize("seized", [WAD - 1, WAD + 1])
def test_buy__another_amount_than_was_seized__reverts(backed: Backstop, seized: int) -> None:
    backed.liquidator.set_seizing(backed.liquidator.address, seized)
    with reverts("backstop: not seized now"):
        backed.liquidator.buy(backed.pool.address, backed.vault.address, WAD)


def test_buy__market_that_is_not_listed__reverts(backed: Backstop) -> None:
    given = (backed.pool.address, backed.vault.address, WAD)
    backed.liquidator.set_listed(False)
    with reverts("backstop: market not listed"):
        backed.liquidator.sell(*given)
    backed.liquidator.set_listed(True)
    backed.liquidator.set_seizing(backed.actors.attacker, WAD)
    with reverts("backstop: market not listed"):
        backed.liquidator.buy(*given)


def test_buy__more_than_the_seller_has__reverts(backed: Backstop) -> None:
    """No LRT, no WETH."""
    held = backed.vault.balanceOf(backed.liquidator.address)
    backed.vault.transfer(
        backed.actors.stranger,
        held - WAD,
        sender=backed.chain.impersonate(backed.liquidator.address),
    )
    before = backed.state()
    with reverts("erc20: transfer amount exceeds balance"):
        backed.liquidator.sell(backed.pool.address, backed.vault.address, WAD + 1)
    assert backed.state() == before


def test_buy__refused__says_what_the_quote_says(backed: Backstop) -> None:
    given = (backed.pool.address, backed.vault.address)
    with reverts("backstop: zero amount"):
        backed.liquidator.sell(*given, 0)
    with reverts("backstop: not enough cash"):
        backed.liquidator.sell(*given, 2_000 * WAD)
    backed.pool.pause(DAY, sender=backed.actors.guardian)
    with reverts("backstop: paused"):
        backed.liquidator.sell(*given, WAD)


def test_buy__beside_what_lost__writes_that_down_first(backed: Backstop) -> None:
    """Or the new lot's discount would hide a part of the old one's loss from who leaves."""
    pool, first, second = backed.pool, 100 * WAD, 300 * WAD
    paid = backed.sell(first)
    backed.slash(WAD // 10)
    least = backed.worth(first) * 995 // 1000
    low = pool.low_assets()
    assert low == BACKED + SEED - paid + least
    more = backed.sell(second)
    assert pool.unqueued() == first + second
    assert pool.unqueued_cost() == least + more
    assert pool.low_assets() == pool.totalAssets() == low


def test_buy__beside_what_gained__leaves_its_cost(backed: Backstop) -> None:
    pool = backed.pool
    paid = backed.sell(100 * WAD)
    backed.lst.set_rate(backed.lst.stEthPerToken() * 11 // 10)
    more = backed.sell(100 * WAD)
    assert pool.unqueued_cost() == paid + more
    assert pool.low_assets() == BACKED + SEED


def test_buy__split__pays_no_more(backed: Backstop) -> None:
    amount = 50 * WAD + 1
    whole = backed.pool.quote(amount)
    parts = [backed.sell(part) for part in (amount // 3, amount // 3, amount - 2 * (amount // 3))]
    assert whole - 6 <= sum(parts) <= whole
