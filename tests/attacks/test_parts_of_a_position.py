"""A position is cut into parts, or put together, so that its parts are worth more than the whole.

Impermax v3, 2025-04-26: the value of a liquidity position depended on how it was cut. Here a
borrower would spread collateral over many accounts, or move it about in one block, and borrow more
against the parts. What stops it: worth is amount times price, rounded down for each part, and debt
is rounded up.
"""

import pytest

from tests.attacks.purse import owned
from tests.unit.market.conftest import MAX_LTV, PRICE, UNLIMITED, WAD, Setup

# No round number divides these.
WHOLE, ODD_PRICE = 97 * WAD + 101, PRICE * 1_000_003 // 999_983


def most(setup: Setup, collateral: int) -> int:
    """What may be borrowed against this much: asked of the rule, not of the contract."""
    return collateral * setup.oracle.fundamental() // PRICE * MAX_LTV // WAD


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts__borrow_no_more_than_the_whole(busy: Setup, parts: int) -> None:
    market, actors = busy.market, busy.actors
    busy.oracle.set_price(ODD_PRICE)
    owners = (actors.stranger, actors.manager, actors.liquidator, actors.lender)
    owners += (actors.other_lender, actors.guardian, actors.owner)
    mine = owned(busy, *owners)
    limit, borrowed, owed = most(busy, WHOLE), 0, 0
    cuts = [WHOLE * (part + 1) // parts - WHOLE * part // parts for part in range(parts)]
    assert sum(cuts) == WHOLE
    for owner, cut in zip(owners, cuts, strict=False):
        market.supply_collateral(cut, owner, sender=actors.stranger)
        own = most(busy, cut)
        with busy.refused("market: unhealthy"):
            market.borrow(own + 1, owner, owner, sender=owner)
        market.borrow(own - 1, owner, owner, sender=owner)
        borrowed += own - 1
        owed += busy.debt(owner)
    assert borrowed < owed <= limit
    assert owned(busy, *owners) <= mine


def test_part__moved_from_account_to_account__is_counted_once(busy: Setup) -> None:
    """Supplied, borrowed against, and out again to the next account, all in one block."""
    market, first, second = busy.market, busy.actors.stranger, busy.actors.manager
    limit = most(busy, WHOLE)
    busy.open(WHOLE, limit - 1, first)
    for amount in (4, WHOLE // 1_000, WHOLE):
        with busy.refused("market: unhealthy"):
            market.withdraw_collateral(amount, first, second, sender=first)
    # What is repaid lets out what it bound, and no more.
    market.repay(limit // 2, first, sender=first)
    free = WHOLE - -(-busy.debt(first) * WAD // MAX_LTV)
    with busy.refused("market: unhealthy"):
        market.withdraw_collateral(free + 2, first, second, sender=first)
    market.withdraw_collateral(free - 2, first, second, sender=first)
    with busy.refused("market: unhealthy"):
        market.adjust(second, free - 2, most(busy, free - 2) + 1, second, sender=second)
    market.adjust(second, free - 2, most(busy, free - 2) - 1, second, sender=second)
    assert busy.debt(first) + busy.debt(second) <= limit
    for owner in (first, second):
        with busy.refused("market: healthy"):
            market.liquidate(owner, UNLIMITED, 0, sender=first)
