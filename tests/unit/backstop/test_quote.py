import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, DAY, DISCOUNT, SEED, WAD, Backstop, assets_down


def expected(place: Backstop, amount: int) -> int:
    """What the queue pays, by stETH per wstETH, less the discount: each rounded down."""
    return place.worth(amount) * (WAD - DISCOUNT) // WAD


def affordable(place: Backstop, weth: int) -> int:
    """The most LRT that costs no more than so much WETH."""
    low, high = 0, weth
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if expected(place, middle) <= weth else (low, middle - 1)
    return low


@pytest.mark.parametrize("amount", [1, 2, 3, 10**9 + 7, WAD, 123_456_789_012_345_678_901])
def test_quote__any_amount__is_what_is_then_paid(backed: Backstop, amount: int) -> None:
    backed.slash(WAD // 7)
    if expected(backed, amount) == 0:
        assert amount < 3
        with reverts("backstop: zero amount"):
            backed.pool.quote(amount)
        return
    quoted = backed.pool.quote(amount)
    assert quoted == expected(backed, amount) > 0
    assert backed.sell(amount) == quoted


def test_quote__unbooked_loss__counts(backed: Backstop) -> None:
    before = backed.pool.quote(WAD)
    backed.slash(WAD // 10)
    lost = 2_000 * WAD
    total = 30_000 * WAD + SEED - lost
    assert backed.vault.totalAssets() == total + lost
    lst = assets_down(WAD, total, 30_000 * WAD + SEED)
    assert backed.pool.quote(WAD) == backed.in_weth(lst) * (WAD - DISCOUNT) // WAD < before


def test_quote__visible_slash__counts_as_executed(backed: Backstop) -> None:
    backed.see_slash(WAD // 10)
    seen = backed.pool.quote(WAD)
    backed.see_slash(0)
    backed.slash(WAD // 10)
    assert backed.pool.quote(WAD) == seen


def test_quote__steth_rate__counts(backed: Backstop) -> None:
    before = backed.pool.quote(WAD)
    backed.lst.set_rate(2 * backed.lst.stEthPerToken())
    assert 0 <= backed.pool.quote(WAD) - 2 * before <= 2


def test_quote__nothing__reverts(backed: Backstop) -> None:
    with reverts("backstop: zero amount"):
        backed.pool.quote(0)


def test_quote__more_than_there_is_cash__reverts(backed: Backstop) -> None:
    most = affordable(backed, BACKED)
    assert backed.pool.quote(most) == BACKED
    with reverts("backstop: not enough cash"):
        backed.pool.quote(most + 1)


def test_quote__seed__is_not_spent(empty: Backstop) -> None:
    with reverts("backstop: not enough cash"):
        empty.pool.quote(10)
    empty.deposit(5, empty.actors.depositor)
    assert empty.pool.quote(2) == 1


def test_quote__cash_of_the_line__is_not_spent(backed: Backstop) -> None:
    backed.ask(BACKED // 4, backed.actors.depositor)
    most = affordable(backed, BACKED - BACKED // 4)
    assert backed.pool.quote(most) == BACKED - BACKED // 4
    with reverts("backstop: not enough cash"):
        backed.pool.quote(most + 1)


def test_quote__paused__reverts(backed: Backstop) -> None:
    backed.pool.pause(DAY, sender=backed.actors.guardian)
    with reverts("backstop: paused"):
        backed.pool.quote(WAD)
    backed.chain.advance(DAY)
    backed.pool.quote(WAD)


def test_quote__vault_paused__reverts(backed: Backstop) -> None:
    backed.vault.pause(DAY, sender=backed.actors.guardian)
    with reverts("backstop: vault is paused"):
        backed.pool.quote(WAD)
    backed.chain.advance(DAY)
    backed.pool.quote(WAD)


def test_quote__after_a_quarantine__reverts(backed: Backstop) -> None:
    backed.vault.quarantine(backed.setup.adapter.address, sender=backed.actors.owner)
    with reverts("backstop: winding down"):
        backed.pool.quote(WAD)


def test_quote__adapter_that_cannot_be_read__reverts(backed: Backstop) -> None:
    backed.setup.adapter.set_broken(True)
    with reverts("vault: adapter unreadable"):
        backed.pool.quote(WAD)
