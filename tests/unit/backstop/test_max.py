"""The four `max*` never revert, and what they say goes through to the unit."""

import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, WAD, Backstop
from tests.unit.vault.conftest import LARGEST, NOBODY

LIMITS = ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem")


def limits(place: Backstop, who: str) -> list[int]:
    return [getattr(place.pool, name)(who) for name in LIMITS]


def test_max__at_rest__says_what_goes_through(backed: Backstop) -> None:
    pool, who = backed.pool, backed.actors.depositor
    deposit, mint, withdraw, redeem = limits(backed, who)
    assert deposit == LARGEST - pool.joining()[0]
    assert (mint, withdraw, redeem) == (LARGEST - pool.totalSupply(), BACKED, BACKED)
    with backed.chain.isolated():
        pool.redeem(redeem, who, who, sender=who)
    with reverts("erc20: burn amount exceeds balance"):
        pool.redeem(redeem + 1, who, who, sender=who)


@pytest.mark.parametrize("part", [1, 4, 7])
def test_max__after_a_slash_with_little_cash__is_exact(backed: Backstop, part: int) -> None:
    pool, who = backed.pool, backed.actors.depositor
    backed.bought(700 * WAD)
    backed.slash(part * WAD // 8 + 1)
    _, _, withdraw, redeem = limits(backed, who)
    assert withdraw == pool.cash()
    for function, amount in ((pool.withdraw, withdraw), (pool.redeem, redeem)):
        with backed.chain.isolated():
            function(amount, who, who, sender=who)
        with reverts("backstop: not enough cash"):
            function(amount + 1, who, who, sender=who)


def test_max__nobody_and_who_has_nothing__can_take_nothing(backed: Backstop) -> None:
    for who in (NOBODY, backed.actors.stranger, backed.pool.address):
        assert limits(backed, who)[2:] == [0, 0]


def test_max__vault_that_cannot_be_read__is_zero(backed: Backstop) -> None:
    backed.sell(WAD)
    backed.setup.adapter.set_broken(True)
    assert limits(backed, backed.actors.depositor) == [0, 0, 0, 0]


def test_max__after_a_quarantine__lets_nobody_in(backed: Backstop) -> None:
    backed.vault.quarantine(backed.setup.adapter.address, sender=backed.actors.owner)
    assert limits(backed, backed.actors.depositor) == [0, 0, BACKED, BACKED]


def test_max__nearly_everything_lost__lets_the_cash_out(backed: Backstop) -> None:
    pool, who = backed.pool, backed.actors.depositor
    backed.bought(700 * WAD)
    backed.setup.report(0)
    backed.setup.report(0, backed.setup.second_adapter)
    withdraw = limits(backed, who)[2]
    assert withdraw == pool.cash()
    pool.withdraw(withdraw, who, who, sender=who)
    assert pool.cash() == 0


def test_max__while_an_action_runs__is_zero(backed: Backstop) -> None:
    """Asked from within a sale of wstETH."""
    pool, swap, who = backed.pool, backed.swap, backed.actors.depositor
    claim = backed.bought(WAD)
    backed.pay_line()
    for name in LIMITS:
        swap.set_hook(pool.address, getattr(pool, name).encode(who))
        with backed.chain.isolated():
            pool.harvest([claim])
            assert swap.succeeded() is True
            assert int.from_bytes(swap.answer(), "big") == 0
