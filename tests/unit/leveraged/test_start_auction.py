import pytest

from relever.chain import Event
from relever.protocol import WAD
from tests.leveraged import Tokens
from tests.scene import DAY, reverts

HOUR = 3_600
BOTH = pytest.mark.parametrize("leverage", [3, 8])


def out_of_band(tokens: Tokens, leverage: int, lowers: bool) -> None:
    """A loss or a gain of a tenth takes the one out, of a fiftieth the other."""
    part = WAD // (10 if leverage == 3 else 50)
    (tokens.lose if lowers else tokens.gain)(part)


@BOTH
@pytest.mark.parametrize("lowers", [True, False])
def test_start_auction__out_of_the_band__begins(
    tokens: Tokens, leverage: int, lowers: bool
) -> None:
    token, stranger = tokens.token(leverage), tokens.scene.roles.stranger
    out_of_band(tokens, leverage, lowers)
    assert token.auction() == (False, False, 0, 0, 0)
    receipt = token.start_auction(sender=stranger)
    assert receipt.events == [Event("AuctionStarted", {"lowers": lowers}, token.address)]
    assert token.auction_started() == (receipt.timestamp, lowers)
    auction = token.auction()
    assert (auction.is_open, auction.lowers) == (True, lowers)
    assert auction.bid < WAD


@BOTH
def test_start_auction__in_the_band__reverts(tokens: Tokens, leverage: int) -> None:
    with reverts("token: leverage in band"):
        tokens.token(leverage).start_auction(sender=tokens.scene.roles.stranger)


def test_start_auction__just_at_the_edges__is_in_the_band(tokens: Tokens) -> None:
    """The last unit of a fall that is still inside, and one more."""
    token, core = tokens.token(8), tokens.scene.world.core
    most = 8_900 * WAD // 1_000
    _, debt = tokens.position(token)
    # worth * WAD > most * (worth - debt), solved for the worth.
    edge = debt * most // (most - WAD)
    low, high = 0, core.steth.getTotalPooledEther() // 10
    while high - low > 1:
        middle = (low + high) // 2
        with tokens.scene.chain.isolated():
            tokens.scene.world.slash_validators(middle)
            inside = tokens.worth(token) * WAD <= most * (tokens.worth(token) - debt)
        low, high = (middle, high) if inside else (low, middle)
    with tokens.scene.chain.isolated():
        tokens.scene.world.slash_validators(low)
        assert 0 <= tokens.worth(token) - edge < 10**4
        with reverts("token: leverage in band"):
            token.start_auction(sender=tokens.scene.roles.stranger)
    tokens.scene.world.slash_validators(high)
    token.start_auction(sender=tokens.scene.roles.stranger)


def test_start_auction__while_it_runs__reverts_until_it_lapses(tokens: Tokens) -> None:
    token, stranger = tokens.token(8), tokens.scene.roles.stranger
    out_of_band(tokens, 8, True)
    tokens.start(token, 0)
    tokens.scene.chain.advance(4 * HOUR - 1)
    assert token.auction().bid == WAD + 8 * 10**15
    with reverts("token: auction runs"):
        token.start_auction(sender=stranger)
    tokens.scene.chain.advance(1)
    assert not token.auction().is_open
    token.start_auction(sender=stranger)
    assert token.auction().bid == WAD - 10**15


def test_start_auction__the_other_way__takes_the_place_of_the_old(tokens: Tokens) -> None:
    token, stranger = tokens.token(8), tokens.scene.roles.stranger
    tokens.lose(WAD // 50)
    tokens.start(token, HOUR)
    tokens.gain(WAD // 25)
    assert not token.auction().is_open
    receipt = token.start_auction(sender=stranger)
    assert token.auction_started() == (receipt.timestamp, False)


def test_start_auction__dead_feed__begins(tokens: Tokens) -> None:
    token = tokens.token(8)
    out_of_band(tokens, 8, True)
    tokens.scene.chain.advance(3 * DAY)
    token.start_auction(sender=tokens.scene.roles.stranger)
    assert token.auction().is_open
