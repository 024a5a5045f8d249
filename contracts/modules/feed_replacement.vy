# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Replacement of a feed
@custom:contract-name feed_replacement
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Which feed is in use, and when another may take its place. Who may do what, the caller says.
@dev Prices scaled by 1e36, times in seconds, bounds in WAD.
     A feed that works is replaced only by one that says the same, so that a replacement moves no price
     by more than `FEED_AGREEMENT` of it; one replacement must be beyond roll-back before the next is
     proposed, so that many small steps take weeks each.
     A feed that does not work is replaced by one within `FEED_BAND` of the last that is known:
     fundamental less the smoothed discount, so that none of that is lost with the feed which said it.
     Where the market has meanwhile gone elsewhere no feed fits, and the oracle stays without one.
     That a feed does not work is counted as evidence: the time between two pokes that both found it unusable, of one
     interval at most an hour; a single poke that finds it usable sets the count to zero. Nobody can
     make a good feed look dead to a poke, and times in which nobody looked prove nothing.
     What remains in trust is the owner: who controls the new feed can make it lie later. Whoever fears
     that has the delay to leave in, the guardian has it to cancel, and `ROLLBACK_WINDOW` to go back to
     a feed that was there before. A guardian alone can only keep or bring back a former feed, once per
     replacement.
"""
from ..interfaces import IFeedReplacement
from . import market_feed

uses: market_feed


WAD: constant(uint256) = 10**18
MAX_8: constant(uint256) = 2**8 - 1
MAX_40: constant(uint256) = 2**40 - 1
MAX_160: constant(uint256) = 2**160 - 1
MAX_168: constant(uint256) = 2**168 - 1
LARGEST_AGREEMENT: constant(uint256) = 5 * 10**16
LARGEST_BAND: constant(uint256) = 2 * 10**17
# A proposal must stand this long before it is applied, and is void after twice that.
FEED_DELAY: constant(uint256) = 7 * 86_400
ROLLBACK_WINDOW: constant(uint256) = 7 * 86_400
# For how long a dead feed must have been found so, and how much of that one interval can be.
DEAD_TIME: constant(uint256) = 3 * 86_400
LONGEST_INTERVAL: constant(uint256) = 3_600

# How far old and new may be apart, as a share of the old; and new and what is known, of the latter.
FEED_AGREEMENT: public(immutable(uint256))
FEED_BAND: public(immutable(uint256))

# Feeds: address 160 | decimals 8, from the low end. Then in the one in use, dead at 40 | dead time 40;
# in the others, the time when it was proposed or replaced.
_used: uint256
_proposed: uint256
_former: uint256


@deploy
def __init__(source: address, agreement: uint256, band: uint256):
    assert 0 < agreement and agreement <= LARGEST_AGREEMENT, "oracle: feed agreement"
    assert 0 < band and band <= LARGEST_BAND, "oracle: feed band"
    FEED_AGREEMENT = agreement
    FEED_BAND = band
    self._used = self._slot(source)
    log IFeedReplacement.FeedReplaced(former=empty(address), feed=source)


@view
@external
def feed() -> address:
    """@notice See `IFeedReplacement`."""
    return self._address(self._used)


@view
@external
def feeds() -> IFeedReplacement.Feeds:
    """@notice See `IFeedReplacement`."""
    used: uint256 = self._used
    return IFeedReplacement.Feeds(
        feed=self._address(used),
        dead_at=(used >> 168) & MAX_40,
        dead_time=used >> 208,
        proposed=self._address(self._proposed),
        proposed_at=self._proposed >> 168,
        former=self._address(self._former),
        replaced_at=self._former >> 168,
    )


@view
@internal
def _read() -> market_feed.Reading:
    """@notice What the feed in use says now."""
    return self._read_slot(self._used)


@internal
def _note(dead: bool):
    """@notice A poke has found the feed usable, or not for a reason of the feed's own."""
    used: uint256 = self._used
    found_at: uint256 = (used >> 168) & MAX_40
    if not dead:
        if found_at != 0:
            self._used = used & MAX_168
        return
    time: uint256 = used >> 208
    if found_at != 0:
        time = min(DEAD_TIME, time + min(block.timestamp - found_at, LONGEST_INTERVAL))
    self._used = (used & MAX_168) | (block.timestamp << 168) | (time << 208)


@internal
def _propose(source: address):
    replaced_at: uint256 = self._former >> 168
    settled: bool = replaced_at + ROLLBACK_WINDOW <= block.timestamp
    assert settled, "oracle: feed replaced lately"
    assert source != self._address(self._used), "oracle: feed in use"
    self._proposed = self._slot(source) | (block.timestamp << 168)
    log IFeedReplacement.FeedProposed(feed=source)


@internal
def _cancel():
    assert self._proposed != 0, "oracle: no feed proposed"
    log IFeedReplacement.FeedProposalCancelled(feed=self._address(self._proposed))
    self._proposed = 0


@internal
def _replace(old: market_feed.Reading, known: uint256):
    """
    @param old What the feed in use says now, which has just been noted.
    @param known Fundamental less the smoothed discount.
    """
    proposed: uint256 = self._proposed
    assert proposed != 0, "oracle: no feed proposed"
    due: uint256 = (proposed >> 168) + FEED_DELAY
    assert block.timestamp >= due, "oracle: feed too young"
    assert block.timestamp < due + FEED_DELAY, "oracle: feed proposal expired"
    new: market_feed.Reading = self._read_slot(proposed)
    assert len(new.fault) == 0, "oracle: new feed unusable"
    used: uint256 = self._used
    if len(old.fault) == 0:
        agree: bool = self._within(new.answer, old.answer, FEED_AGREEMENT)
        assert agree, "oracle: feeds disagree"
    else:
        assert used >> 208 == DEAD_TIME, "oracle: old feed not dead"
        in_band: bool = self._within(new.answer, known, FEED_BAND)
        assert in_band, "oracle: new feed out of band"
    self._used = proposed & MAX_168
    self._former = (used & MAX_168) | (block.timestamp << 168)
    self._proposed = 0
    log IFeedReplacement.FeedReplaced(
        former=self._address(used), feed=self._address(proposed)
    )


@internal
def _roll_back():
    former: uint256 = self._former
    assert former != 0, "oracle: no former feed"
    in_time: bool = block.timestamp < (former >> 168) + ROLLBACK_WINDOW
    assert in_time, "oracle: roll-back over"
    used: uint256 = self._used
    self._used = former & MAX_168
    self._former = 0
    log IFeedReplacement.FeedRolledBack(former=self._address(former), feed=self._address(used))


@view
@internal
def _slot(source: address) -> uint256:
    return convert(source, uint256) | (market_feed._decimals(source) << 160)


@view
@internal
def _read_slot(slot: uint256) -> market_feed.Reading:
    return market_feed._read(self._address(slot), (slot >> 160) & MAX_8)


@pure
@internal
def _address(slot: uint256) -> address:
    return convert(slot & MAX_160, address)


@pure
@internal
def _within(new: uint256, old: uint256, bound: uint256) -> bool:
    """@notice Whether two prices are no further apart than a share of the old one."""
    return (max(new, old) - min(new, old)) * WAD <= old * bound
