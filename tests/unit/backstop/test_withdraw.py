import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, SEED, WAD, Backstop
from tests.unit.vault.conftest import shares_up


@pytest.mark.parametrize("assets", [1, 2, 10**9 + 7, WAD, 123_456_789_012_345_678_901])
def test_withdraw__any_amount__burns_at_the_low_mark_rounded_up(
    backed: Backstop, assets: int
) -> None:
    pool, who, receiver = backed.pool, backed.actors.depositor, backed.actors.stranger
    backed.bought(500 * WAD)
    backed.slash(WAD // 7)
    shares = shares_up(assets, pool.low_assets(), BACKED + SEED)
    assert pool.previewWithdraw(assets) == shares
    held, cash = backed.weth.balanceOf(receiver), pool.cash()
    receipt = pool.withdraw(assets, receiver, who, sender=who)
    assert receipt.events[1:] == [
        backed.moved(backed.weth, pool.address, receiver, assets),
        backed.event(
            "Withdraw", sender=who, receiver=receiver, owner=who, assets=assets, shares=shares
        ),
    ]
    assert backed.weth.balanceOf(receiver) == held + assets
    assert (pool.cash(), pool.balanceOf(who)) == (cash - assets, BACKED - shares)


def test_withdraw__more_than_there_is_cash__reverts(backed: Backstop) -> None:
    pool, who = backed.pool, backed.actors.depositor
    backed.sell(500 * WAD)
    most = pool.maxWithdraw(who)
    assert most == pool.cash() == pool.free_cash()
    with reverts("backstop: not enough cash"):
        pool.withdraw(most + 1, who, who, sender=who)
    pool.withdraw(most, who, who, sender=who)


def test_withdraw__nothing__reverts(backed: Backstop) -> None:
    who = backed.actors.depositor
    with reverts("backstop: zero assets"):
        backed.pool.withdraw(0, who, who, sender=who)


def test_withdraw__by_another__spends_shares_of_the_allowance(backed: Backstop) -> None:
    pool, owner, spender = backed.pool, backed.actors.depositor, backed.actors.stranger
    pool.approve(spender, WAD, sender=owner)
    with reverts("erc20: insufficient allowance"):
        pool.withdraw(WAD + 1, spender, owner, sender=spender)
    pool.withdraw(WAD, spender, owner, sender=spender)
    assert pool.allowance(owner, spender) == 0
