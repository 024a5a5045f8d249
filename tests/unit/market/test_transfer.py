"""Lenders' shares as a token: transfers by their owner."""

from tests.unit.market.conftest import NOBODY, WAD, Setup


def test_transfer__own_shares__moves_them(lent: Setup) -> None:
    market, lender, receiver = lent.market, lent.actors.lender, lent.actors.stranger
    assert market.transfer.call(receiver, WAD, sender=lender) is True
    held = market.balanceOf(lender)

    receipt = market.transfer(receiver, WAD, sender=lender)

    assert receipt.events == [lent.moved(market, lender, receiver, WAD)]
    assert (market.balanceOf(lender), market.balanceOf(receiver)) == (held - WAD, WAD)
    assert market.totalSupply() == held


def test_transfer__to_oneself__changes_nothing(lent: Setup) -> None:
    lender, before = lent.actors.lender, lent.books()
    lent.market.transfer(lender, WAD, sender=lender)
    assert lent.books() == before


def test_transfer__zero__is_logged(lent: Setup) -> None:
    actors = lent.actors
    receipt = lent.market.transfer(actors.lender, 0, sender=actors.stranger)
    assert receipt.events == [lent.moved(lent.market, actors.stranger, actors.lender, 0)]


def test_transfer__more_than_owned__reverts(lent: Setup) -> None:
    market, lender = lent.market, lent.actors.lender
    with lent.refused("market: not enough shares"):
        market.transfer(lent.actors.stranger, market.balanceOf(lender) + 1, sender=lender)
    market.transfer(lent.actors.stranger, market.balanceOf(lender), sender=lender)
    assert market.balanceOf(lender) == 0


def test_transfer__to_nobody_or_the_market__reverts(lent: Setup) -> None:
    for receiver in (NOBODY, lent.market.address):
        with lent.refused("market: receiver"):
            lent.market.transfer(receiver, 1, sender=lent.actors.lender)
