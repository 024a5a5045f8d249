"""Lenders' shares as a token: allowances."""

from tests.unit.market.conftest import UNLIMITED, WAD, Setup


def test_approve__amount__is_set_and_not_added(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    assert market.approve.call(spender, WAD, sender=lender) is True
    for amount in (WAD, 1, UNLIMITED, 0):
        receipt = market.approve(spender, amount, sender=lender)
        assert receipt.events == [
            lent.event("Approval", owner=lender, spender=spender, value=amount)
        ]
        assert market.allowance(lender, spender) == amount
        assert market.allowance(spender, lender) == 0
