import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, SEED, WAD, Backstop, assets_down
from tests.unit.vault.conftest import NOBODY


@pytest.mark.parametrize("shares", [1, 2, 10**9 + 7, WAD, 123_456_789_012_345_678_901])
def test_redeem__any_amount__pays_the_low_mark(backed: Backstop, shares: int) -> None:
    pool, who, receiver = backed.pool, backed.actors.depositor, backed.actors.stranger
    backed.bought(500 * WAD)
    backed.slash(WAD // 7)
    low = pool.low_assets()
    assert low == BACKED + SEED - pool.claim_cost(1) + backed.worth(500 * WAD) * 995 // 1000
    assets = assets_down(shares, low, BACKED + SEED)
    assert pool.previewRedeem(shares) == assets
    if assets == 0:
        assert shares == 1
        with reverts("backstop: zero assets"):
            pool.redeem(shares, receiver, who, sender=who)
        return
    held, cash = backed.weth.balanceOf(receiver), pool.cash()
    receipt = pool.redeem(shares, receiver, who, sender=who)
    assert dict(receipt.events[0].args) == {"sender": who, "receiver": NOBODY, "value": shares}
    assert receipt.events[1:] == [
        backed.moved(backed.weth, pool.address, receiver, assets),
        backed.event(
            "Withdraw", sender=who, receiver=receiver, owner=who, assets=assets, shares=shares
        ),
    ]
    assert backed.weth.balanceOf(receiver) == held + assets
    assert pool.cash() == cash - assets
    assert pool.totalSupply() == BACKED + SEED - shares


def test_redeem__more_than_there_is_cash__reverts(backed: Backstop) -> None:
    pool, who = backed.pool, backed.actors.depositor
    backed.sell(500 * WAD)
    most = pool.maxRedeem(who)
    assert assets_down(most, pool.low_assets(), pool.totalSupply()) == pool.cash()
    with backed.chain.isolated():
        pool.redeem(most, who, who, sender=who)
        assert pool.cash() == 0
    with reverts("backstop: not enough cash"):
        pool.redeem(most + 1, who, who, sender=who)


def test_redeem__cash_of_the_line__is_not_paid(backed: Backstop) -> None:
    pool, actors = backed.pool, backed.actors
    backed.deposit(BACKED, actors.holder)
    backed.ask(BACKED, actors.holder)
    assert pool.free_cash() == BACKED + SEED
    pool.redeem(BACKED, actors.depositor, actors.depositor, sender=actors.depositor)
    assert pool.free_cash() == SEED
    backed.deposit(WAD, actors.attacker)
    backed.sell(WAD // 2)
    with reverts("backstop: not enough cash"):
        pool.redeem(WAD, actors.attacker, actors.attacker, sender=actors.attacker)
    pool.serve(1)
    assert backed.pool.waiting_shares() == 0


def test_redeem__by_another__needs_the_owners_allowance(backed: Backstop) -> None:
    pool, owner, spender = backed.pool, backed.actors.depositor, backed.actors.stranger
    pool.approve(spender, 5 * WAD, sender=owner)
    with reverts("erc20: insufficient allowance"):
        pool.redeem(5 * WAD + 1, spender, owner, sender=spender)
    pool.redeem(2 * WAD, spender, owner, sender=spender)
    assert pool.allowance(owner, spender) == 3 * WAD


def test_redeem__more_than_one_has__reverts(backed: Backstop) -> None:
    backed.deposit(WAD, backed.actors.holder)
    with reverts("erc20: burn amount exceeds balance"):
        backed.pool.redeem(
            WAD + 1, backed.actors.holder, backed.actors.holder, sender=backed.actors.holder
        )


def test_redeem__vault_that_cannot_be_read__reverts_while_lrt_waits(backed: Backstop) -> None:
    pool, who = backed.pool, backed.actors.depositor
    backed.setup.adapter.set_broken(True)
    pool.redeem(WAD, who, who, sender=who)
    backed.setup.adapter.set_broken(False)
    backed.bought(WAD)
    backed.setup.adapter.set_broken(True)
    with reverts("vault: adapter unreadable"):
        pool.redeem(WAD, who, who, sender=who)
    # What the queue has paid needs no rate.
    backed.setup.adapter.set_broken(False)
    backed.pay_line()
    backed.setup.adapter.set_broken(True)
    pool.redeem(WAD, who, who, sender=who)
