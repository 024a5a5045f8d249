import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import (
    BACKED,
    DAY,
    SEED,
    VIRTUAL,
    WAD,
    Backstop,
    shares_down,
)
from tests.unit.vault.conftest import NOBODY


@pytest.mark.parametrize("assets", [1, 2, 10**9 + 7, WAD, 345_678_901_234_567_890_123])
def test_deposit__any_amount__mints_at_the_high_mark(backed: Backstop, assets: int) -> None:
    pool, who, receiver = backed.pool, backed.actors.holder, backed.actors.stranger
    backed.bought(300 * WAD + 1)
    total, supply = pool.joining()
    assert (supply, total > pool.low_assets()) == (BACKED + SEED, True)
    shares = shares_down(assets, total, supply)
    if shares == 0:
        assert assets == 1
        with reverts("backstop: zero shares"):
            pool.deposit(assets, receiver, sender=who)
        return
    assert pool.previewDeposit(assets) == shares
    assert pool.deposit.call(assets, receiver, sender=who) == shares
    cash = pool.cash()
    receipt = pool.deposit(assets, receiver, sender=who)
    assert receipt.events == [
        backed.moved(backed.weth, who, pool.address, assets),
        *receipt.events[1:2],
        backed.event("Deposit", sender=who, owner=receiver, assets=assets, shares=shares),
    ]
    assert dict(receipt.events[1].args) == {"sender": NOBODY, "receiver": receiver, "value": shares}
    assert pool.balanceOf(receiver) == shares
    assert pool.cash() == cash + assets


def test_deposit__first__is_one_to_one(empty: Backstop) -> None:
    assert empty.deposit(7 * WAD + 3, empty.actors.holder) == 7 * WAD + 3


def test_deposit__unrealised_gain__is_paid_for(backed: Backstop) -> None:
    """In and out at once loses what is not yet anybody's."""
    pool, who = backed.pool, backed.actors.holder
    backed.bought(500 * WAD)
    shares = backed.deposit(100 * WAD, who)
    paid = pool.redeem.call(shares, who, who, sender=who)
    total = BACKED + SEED - pool.claim_cost(1) + backed.worth(500 * WAD)
    assert shares == shares_down(100 * WAD, total, BACKED + SEED)
    assert paid < 100 * WAD


def test_deposit__while_a_line_waits__pays_for_what_that_leaves(backed: Backstop) -> None:
    """Those in the line get the low mark; the gain that they leave is of those who stay."""
    pool, actors = backed.pool, backed.actors
    backed.deposit(BACKED, actors.holder)
    backed.bought(500 * WAD)
    low, supply = pool.low_assets(), pool.totalSupply()
    number = backed.ask(BACKED, actors.depositor)
    worth = pool.exit_at(number).worth
    rate = worth * WAD // BACKED
    owed = min(BACKED * (low + VIRTUAL) // (supply + VIRTUAL), BACKED * rate // WAD)
    high = low - pool.claim_cost(1) + backed.worth(500 * WAD)
    assert pool.joining() == (high - owed, supply - BACKED)
    assert backed.deposit(WAD, actors.attacker) == shares_down(WAD, high - owed, supply - BACKED)


def test_deposit__nothing__reverts(backed: Backstop) -> None:
    with reverts("backstop: zero assets"):
        backed.deposit(0, backed.actors.holder)


def test_deposit__without_allowance__reverts(backed: Backstop) -> None:
    backed.weth.approve(backed.pool.address, WAD - 1, sender=backed.actors.holder)
    with reverts("token: allowance"):
        backed.deposit(WAD, backed.actors.holder)


def test_deposit__after_a_quarantine__reverts(backed: Backstop) -> None:
    backed.vault.quarantine(backed.setup.second_adapter.address, sender=backed.actors.owner)
    with reverts("backstop: winding down"):
        backed.deposit(WAD, backed.actors.holder)


def test_deposit__vault_that_cannot_be_read__reverts_while_lrt_waits(backed: Backstop) -> None:
    backed.setup.adapter.set_broken(True)
    backed.deposit(WAD, backed.actors.holder)
    backed.setup.adapter.set_broken(False)
    backed.sell(WAD)
    backed.setup.adapter.set_broken(True)
    with reverts("vault: adapter unreadable"):
        backed.deposit(WAD, backed.actors.holder)


def test_deposit__beyond_the_widths__reverts(backed: Backstop) -> None:
    who, most = backed.actors.holder, backed.pool.maxDeposit(backed.actors.holder)
    backed.weth.mint(who, most)
    with backed.chain.isolated():
        backed.deposit(most, who)
        assert backed.pool.maxDeposit(who) == backed.pool.maxMint(who) == 0
    with reverts("backstop: asset limit"):
        backed.deposit(most + 1, who)


def test_deposit__visible_slash__is_not_taken_off_for_who_joins(backed: Backstop) -> None:
    """It may be vetoed: then who came meanwhile would have paid too little."""
    backed.bought(500 * WAD)
    joining, low = backed.pool.joining(), backed.pool.low_assets()
    backed.see_slash(WAD // 5)
    assert backed.pool.joining() == joining
    assert backed.pool.low_assets() < low


def test_deposit__vault_that_gained_since_the_request__adds_nothing(backed: Backstop) -> None:
    """The queue pays no more than the worth at the request."""
    backed.bought(300 * WAD)
    backed.sell(100 * WAD)
    claimed = backed.in_weth(backed.queue.request(1).assets)
    payer = backed.actors.payer
    backed.vault.pay_rewards(1_000 * WAD, sender=payer)
    backed.chain.advance(8 * DAY)
    waits = backed.worth(100 * WAD)
    assert backed.worth(300 * WAD) > claimed
    assert backed.pool.joining()[0] == backed.pool.cash() + waits + claimed
