import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import WAD, Backstop
from tests.unit.vault.conftest import LARGEST, assets_up


@pytest.mark.parametrize("shares", [1, 2, 10**9 + 7, WAD, 345_678_901_234_567_890_123])
def test_mint__any_amount__costs_the_high_mark_rounded_up(backed: Backstop, shares: int) -> None:
    pool, who, receiver = backed.pool, backed.actors.holder, backed.actors.stranger
    backed.bought(300 * WAD + 1)
    assets = assets_up(shares, *pool.joining())
    assert pool.previewMint(shares) == pool.mint.call(shares, receiver, sender=who) == assets
    held, cash = backed.weth.balanceOf(who), pool.cash()
    receipt = pool.mint(shares, receiver, sender=who)
    assert receipt.events[-1] == backed.event(
        "Deposit", sender=who, owner=receiver, assets=assets, shares=shares
    )
    assert pool.balanceOf(receiver) == shares
    assert (backed.weth.balanceOf(who), pool.cash()) == (held - assets, cash + assets)


def test_mint__nothing__reverts(backed: Backstop) -> None:
    with reverts("backstop: zero assets"):
        backed.pool.mint(0, backed.actors.holder, sender=backed.actors.holder)


def test_mint__beyond_the_supply__reverts(backed: Backstop) -> None:
    """After a loss a share costs so little that the supply is what ends first."""
    who = backed.actors.holder
    backed.bought(700 * WAD)
    backed.setup.report(0)
    backed.setup.report(0, backed.setup.second_adapter)
    most = backed.pool.maxMint(who)
    assert most == LARGEST - backed.pool.totalSupply()
    backed.weth.mint(who, assets_up(most + 1, *backed.pool.joining()))
    with reverts("backstop: supply limit"):
        backed.pool.mint(most + 1, who, sender=who)
    backed.pool.mint(most, who, sender=who)
