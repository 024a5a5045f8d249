# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Market price of a feed
@custom:contract-name market_feed
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a feed says as a price (loan units per collateral unit, scaled by 1e36), and whether that
        can be used: it must be positive, fresh and within bounds. On an L2 the sequencer must be up,
        and have been for longer than the grace period: else all answers are old, whatever their date,
        and nobody could react to them.
@dev The sequencer's uptime feed answers 0 for up; its round starts when that changed. It cannot be
     replaced: without it there is no fresh price.
"""
from ..interfaces import IAggregatorV3
from . import feed


struct Reading:
    # The price; 0 when it cannot be used.
    answer: uint256
    updated_at: uint256
    # What is wrong, or an empty string.
    fault: String[20]
    # Whether that lies with the feed itself.
    dead: bool


MAX_DECIMALS: constant(uint256) = 36
# What a market takes as a price.
LARGEST_ANSWER: constant(uint256) = 2**140
LONGEST_GRACE: constant(uint256) = 86_400

# Most seconds since the feed's answer.
MAX_AGE: public(immutable(uint256))
# Answers outside of [min, max] are refused; prices.
MIN_ANSWER: public(immutable(uint256))
MAX_ANSWER: public(immutable(uint256))
# Uptime feed, none on an L1, and for how many seconds after an outage there is no fresh price.
SEQUENCER: public(immutable(address))
SEQUENCER_GRACE: public(immutable(uint256))


@deploy
def __init__(
    max_age: uint256, min_answer: uint256, max_answer: uint256, sequencer: address, grace: uint256
):
    assert max_age > 0, "oracle: max age"
    assert 0 < min_answer, "oracle: min answer"
    in_order: bool = min_answer < max_answer and max_answer < LARGEST_ANSWER
    assert in_order, "oracle: max answer"
    MAX_AGE = max_age
    MIN_ANSWER = min_answer
    MAX_ANSWER = max_answer
    SEQUENCER = sequencer
    SEQUENCER_GRACE = grace
    if sequencer == empty(address):
        assert grace == 0, "oracle: grace period"
    else:
        assert 0 < grace and grace <= LONGEST_GRACE, "oracle: grace period"
        status: feed.Round = feed._round(sequencer)
        assert status.answered, "oracle: sequencer unknown"


@view
@internal
def _decimals(source: address) -> uint256:
    """@notice Of a feed that is to be used."""
    decimals: uint8 = staticcall IAggregatorV3(source).decimals()
    assert convert(decimals, uint256) <= MAX_DECIMALS, "oracle: feed decimals"
    return convert(decimals, uint256)


@view
@internal
def _read(source: address, decimals: uint256) -> Reading:
    """@notice The feed's price now."""
    fault: String[20] = self._sequencer_fault()
    if len(fault) != 0:
        return Reading(answer=0, updated_at=0, fault=fault, dead=False)
    answer: uint256 = 0
    updated_at: uint256 = 0
    answer, updated_at, fault = feed._answer(source, MAX_AGE)
    if len(fault) == 0:
        scale: uint256 = 10 ** (MAX_DECIMALS - decimals)
        if answer > MAX_ANSWER // scale or answer * scale < MIN_ANSWER:
            fault = "answer out of bounds"
        else:
            return Reading(answer=answer * scale, updated_at=updated_at, fault="", dead=False)
    return Reading(answer=0, updated_at=updated_at, fault=fault, dead=True)


@view
@internal
def _sequencer_fault() -> String[20]:
    """@return Why the sequencer keeps every answer from being fresh, or an empty string."""
    if SEQUENCER == empty(address):
        return ""
    status: feed.Round = feed._round(SEQUENCER)
    since: uint256 = status.started_at
    if not status.answered or since == 0 or since > block.timestamp:
        return "sequencer unknown"
    if status.answer != 0:
        return "sequencer down"
    if block.timestamp - since <= SEQUENCER_GRACE:
        return "sequencer grace"
    return ""
