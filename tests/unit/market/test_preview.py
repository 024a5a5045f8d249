"""What the previews and conversions say is what happens."""

import pytest

from tests.unit.market.conftest import DAY, WAD, Setup

AMOUNTS = (1, 2, 999_999, 10**6, WAD - 1, WAD, 7 * WAD + 1)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_preview__lending__is_exact(busy: Setup, amount: int) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.lender
    assert market.previewDeposit(amount) == market.deposit.call(amount, lender, sender=lender)
    assert market.previewMint(amount) == market.mint.call(amount, lender, sender=lender)
    assert market.convertToShares(amount) == market.previewDeposit(amount)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_preview__taking_out__is_exact(busy: Setup, amount: int) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.lender
    assert market.previewWithdraw(amount) == market.withdraw.call(
        amount, lender, lender, sender=lender
    )
    shares = amount * 10**6
    assert market.previewRedeem(shares) == market.redeem.call(shares, lender, lender, sender=lender)
    assert market.convertToAssets(shares) == market.previewRedeem(shares)


def test_preview__there_and_back__never_gains(busy: Setup) -> None:
    market = busy.market
    for amount in AMOUNTS:
        assert market.previewRedeem(market.previewDeposit(amount)) <= amount
        assert market.previewMint(market.previewWithdraw(amount)) >= amount
        assert market.previewDeposit(amount) <= market.previewWithdraw(amount)
        assert market.previewRedeem(amount) <= market.previewMint(amount)


def test_preview__empty_market__is_a_million_for_one(setup: Setup) -> None:
    market = setup.market
    assert market.previewDeposit(3) == market.previewWithdraw(3) == 3 * 10**6
    assert market.previewRedeem(3 * 10**6) == market.previewMint(3 * 10**6) == 3
    assert market.convertToShares(1) == 10**6
    assert (market.previewRedeem(10**6 - 1), market.previewMint(10**6 + 1)) == (0, 2)
