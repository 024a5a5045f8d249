from fractions import Fraction

import pytest

from relever.chain import Event
from relever.protocol import WAD
from tests.leveraged import Tokens
from tests.lrt_paths import NOBODY, Log
from tests.scene import DAY, ETHER

YEAR = 365 * DAY
FEE = 10**16


def test_fee__a_year__is_what_was_agreed_of_the_supply(tokens: Tokens) -> None:
    """Of the supply at creation: some days ago here, which the index counts too."""
    token, roles = tokens.token(3), tokens.scene.roles
    supply, treasury = token.totalSupply(), token.balanceOf(roles.treasury)
    tokens.wait(YEAR)
    grown = token.totalSupply()
    assert Fraction(99, 100) < Fraction(grown - supply, supply) / Fraction(FEE, WAD) <= 1
    receipt = token.accrue_fee(sender=roles.stranger)
    fee = Event(
        "Transfer",
        {"sender": NOBODY, "receiver": roles.treasury, "value": grown - supply},
        token.address,
    )
    assert receipt.events == [fee]
    assert token.totalSupply() == grown
    assert token.balanceOf(roles.treasury) == treasury + grown - supply


def test_fee__accrued_often__is_no_more_and_hardly_less(tokens: Tokens) -> None:
    token, stranger, chain = tokens.token(8), tokens.scene.roles.stranger, tokens.scene.chain
    with chain.isolated():
        chain.advance(60 * DAY)
        at_once = token.totalSupply()
    for _ in range(60):
        chain.advance(DAY)
        token.accrue_fee(sender=stranger)
    assert at_once - 60 <= token.totalSupply() <= at_once


def test_fee__at_rest__mints_nothing(tokens: Tokens) -> None:
    token = tokens.token(3)
    assert token.accrue_fee(sender=tokens.scene.roles.stranger).events == []


@pytest.mark.parametrize("what", ["mint", "redeem"])
def test_fee__before_a_mint_or_a_redemption__is_accrued(tokens: Tokens, what: str) -> None:
    token, roles, log = tokens.token(3), tokens.scene.roles, Log(tokens.scene)
    tokens.wait(DAY)
    supply = token.totalSupply()
    due = supply - sum(
        token.balanceOf(who)
        for who in (roles.looper, roles.treasury, "0x000000000000000000000000000000000000dEaD")
    )
    assert due > 0
    receipt = getattr(tokens, what)(token, ETHER, roles.looper)
    assert receipt.events[0] == log.moved(token, NOBODY, roles.treasury, due)
    assert token.totalSupply() == supply + (ETHER if what == "mint" else -ETHER)
