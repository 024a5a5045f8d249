"""Lenders' shares as a token: transfers by others."""

from tests.unit.market.conftest import NOBODY, UNLIMITED, WAD, Setup


def test_transfer_from__allowed__moves_and_uses_it_up(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    receiver = lent.actors.manager
    market.approve(spender, 2 * WAD, sender=lender)
    assert market.transferFrom.call(lender, receiver, WAD, sender=spender) is True

    receipt = market.transferFrom(lender, receiver, WAD, sender=spender)

    assert receipt.events == [lent.moved(market, lender, receiver, WAD)]
    assert market.balanceOf(receiver) == WAD
    assert market.allowance(lender, spender) == WAD
    with lent.refused("market: allowance"):
        market.transferFrom(lender, receiver, WAD + 1, sender=spender)


def test_transfer_from__unlimited__is_not_used_up(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    market.approve(spender, UNLIMITED, sender=lender)
    market.transferFrom(lender, spender, WAD, sender=spender)
    assert market.allowance(lender, spender) == UNLIMITED


def test_transfer_from__one_less_than_unlimited__is_used_up(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    market.approve(spender, UNLIMITED - 1, sender=lender)
    market.transferFrom(lender, spender, WAD, sender=spender)
    assert market.allowance(lender, spender) == UNLIMITED - 1 - WAD


def test_transfer_from__not_allowed__reverts(lent: Setup) -> None:
    lender, spender = lent.actors.lender, lent.actors.stranger
    with lent.refused("market: allowance"):
        lent.market.transferFrom(lender, spender, 1, sender=spender)


def test_transfer_from__oneself__needs_no_allowance(lent: Setup) -> None:
    lender, receiver = lent.actors.lender, lent.actors.stranger
    lent.market.transferFrom(lender, receiver, WAD, sender=lender)
    assert lent.market.balanceOf(receiver) == WAD


def test_transfer_from__more_than_owned__reverts(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    market.approve(spender, UNLIMITED, sender=lender)
    with lent.refused("market: not enough shares"):
        market.transferFrom(lender, spender, market.balanceOf(lender) + 1, sender=spender)


def test_transfer_from__to_nobody_or_the_market__reverts(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    market.approve(spender, UNLIMITED, sender=lender)
    for receiver in (NOBODY, market.address):
        with lent.refused("market: receiver"):
            market.transferFrom(lender, receiver, 1, sender=spender)


def test_transfer_from__protocols_shares__are_no_strangers(busy: Setup) -> None:
    stranger = busy.actors.stranger
    with busy.refused("market: allowance"):
        busy.market.transferFrom(busy.market.address, stranger, 1, sender=stranger)
