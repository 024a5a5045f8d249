# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title OracleAdapter
@custom:contract-name OracleAdapter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Prices an LRT over wstETH in WETH: *fundamental* is vault rate times LST rate, under a growth
        cap; *market* is a feed, never above fundamental, whose falls are smoothed. A market far below
        for long enough is believed, and fundamental no more.
@dev Prices are loan units per collateral unit scaled by 1e36; LRT, wstETH and WETH have 18 decimals,
     so that the product of two WAD rates is a price.
     Failure modes: an unusable feed stops `price` and changes nothing in the smoothed discount; an
     adapter of the vault that cannot be read stops `price`; so does a supply of the LRT that grew
     faster than it may or that the vault's own balance does not back, until time has passed, or the
     vault's owner has explained it. `liquidation_prices` depends on none of them.
     A wrong feed is replaced, see `feed_replacement`; nothing else of the terms can change.
"""
from ethereum.ercs import IERC20

from ..interfaces import IFeedReplacement
from ..interfaces import ILRTVault
from ..interfaces import IOracleAdapter
from ..interfaces import IWstETH

# The most that fundamental may be.
from ..modules import growth_cap as cap

# The feed: what it says, which one it is, and what is remembered of it.
from ..modules import feed_replacement as replacement
from ..modules import market_feed as market
from ..modules import smoothing

# What binds, and why.
from ..modules import explanation

# Whether the supply grew faster than it may.
from ..modules import supply_gate as gate
from ..modules import token
from ..modules import vault_shares

initializes: cap
initializes: explanation[
    cap := cap, market := market, replacement := replacement, smoothing := smoothing
]
initializes: gate
initializes: market
initializes: replacement[market_feed := market]
initializes: smoothing

implements: IFeedReplacement
implements: IOracleAdapter

exports: (
    cap.MAX_GROWTH,
    cap.checkpoint_ratio,
    cap.checkpoint_time,
    cap.proposed_ratio,
    cap.proposed_time,
    explanation.explain,
    gate.GATE_FLOOR,
    gate.GATE_SHARE,
    gate.GATE_WINDOW,
    market.MAX_AGE,
    market.MAX_ANSWER,
    market.MIN_ANSWER,
    market.SEQUENCER,
    market.SEQUENCER_GRACE,
    replacement.FEED_AGREEMENT,
    replacement.FEED_BAND,
    replacement.feed,
    replacement.feeds,
    smoothing.DEEP_DISCOUNT,
    smoothing.DISCOUNT_SPEED,
    smoothing.LASTING_TIME,
    smoothing.MAX_GAP,
)


# The vault's people.
interface Roles:
    def owner() -> address: view
    def guardian() -> address: view


struct Parameters:
    # Most seconds since the feed's answer.
    max_age: uint256
    # Answers outside of [min, max] are refused; prices.
    min_answer: uint256
    max_answer: uint256
    # How far another feed may be from the present one, or from what is known when that is dead, WAD.
    feed_agreement: uint256
    feed_band: uint256
    # Seconds after an outage of the L2's sequencer; 0 on an L1.
    sequencer_grace: uint256
    # Most growth of fundamental since the checkpoint, WAD per year.
    max_growth: uint256
    # How fast the smoothed discount may deepen, WAD per second, and for how long one poke counts.
    discount_speed: uint256
    max_gap: uint256
    # From where the smoothed discount is deep, WAD, and for how many seconds until it lasts.
    deep_discount: uint256
    lasting_time: uint256
    # How much of the LRT may come in `gate_window` seconds: share units, or a WAD share of the supply
    # where that is more.
    gate_floor: uint256
    gate_share: uint256
    gate_window: uint256


WAD: constant(uint256) = 10**18

VAULT: public(immutable(address))
LST: public(immutable(address))


@deploy
def __init__(
    vault: address, lst: address, feed: address, sequencer: address, parameters: Parameters
):
    """
    @notice The first checkpoint is the present ratio, which must be inside the feed's own band.
    @param sequencer Uptime feed of the L2's sequencer; empty on an L1.
    """
    VAULT = vault
    LST = lst
    market.__init__(
        parameters.max_age,
        parameters.min_answer,
        parameters.max_answer,
        sequencer,
        parameters.sequencer_grace,
    )
    replacement.__init__(feed, parameters.feed_agreement, parameters.feed_band)
    smoothing.__init__(
        parameters.discount_speed,
        parameters.max_gap,
        parameters.deep_discount,
        parameters.lasting_time,
    )
    supply: uint256 = staticcall IERC20(vault).totalSupply()
    gate.__init__(
        parameters.gate_floor, parameters.gate_share, parameters.gate_window, supply
    )
    booked_rate: uint256 = staticcall ILRTVault(vault).rate()
    lst_rate: uint256 = staticcall IWstETH(lst).stEthPerToken()
    ratio: uint256 = booked_rate * lst_rate
    in_band: bool = parameters.min_answer <= ratio and ratio <= parameters.max_answer
    assert in_band, "oracle: rate out of bounds"
    cap.__init__(parameters.max_growth, ratio)


@external
def poke() -> bool:
    """@notice See `IOracleAdapter`."""
    supply: uint256 = staticcall IERC20(VAULT).totalSupply()
    gate._see(supply)
    feed: market.Reading = replacement._read()
    return self._poke(self._booked_fundamental(), feed)[2]


@external
def poke_price() -> uint256:
    """@notice `poke`, then `price`."""
    feed: market.Reading = replacement._read()
    self._poke(self._booked_fundamental(), feed)
    supply: uint256 = staticcall IERC20(VAULT).totalSupply()
    level: uint256 = 0
    capacity: uint256 = 0
    level, capacity = gate._see(supply)
    return self._price(feed, level, capacity)


@external
def poke_liquidation_prices() -> (uint256, uint256, bool):
    """@notice See `IOracleAdapter`."""
    booked: uint256 = self._booked_fundamental()
    feed: market.Reading = replacement._read()
    return self._poke(booked, feed)


@external
def propose_checkpoint():
    """@notice See `IOracleAdapter`."""
    cap._propose(self._uncapped_fundamental())


@external
def promote_checkpoint():
    """@notice See `IOracleAdapter`."""
    cap._promote(self._uncapped_fundamental())


@external
def accept_supply(most: uint256):
    """@notice See `IOracleAdapter`."""
    self._check_owner()
    supply: uint256 = staticcall IERC20(VAULT).totalSupply()
    accepted: uint256 = gate._accept(supply, most)
    log IOracleAdapter.SupplyAccepted(supply=supply, accepted=accepted)


@external
def propose_feed(feed: address):
    """@notice See `IFeedReplacement`."""
    self._check_owner()
    replacement._propose(feed)


@external
def cancel_feed_proposal():
    """@notice See `IFeedReplacement`."""
    owner: address = staticcall Roles(VAULT).owner()
    guardian: address = staticcall Roles(VAULT).guardian()
    allowed: bool = msg.sender == owner or msg.sender == guardian
    assert allowed, "oracle: not owner or guardian"
    replacement._cancel()


@external
def replace_feed():
    """@notice See `IFeedReplacement`. The feed in use has a last word."""
    booked: uint256 = self._booked_fundamental()
    feed: market.Reading = replacement._read()
    known: uint256 = self._poke(booked, feed)[1]
    replacement._replace(feed, known)
    smoothing._disarm()


@external
def roll_back_feed():
    """@notice See `IFeedReplacement`."""
    guardian: address = staticcall Roles(VAULT).guardian()
    assert msg.sender == guardian, "oracle: not the vault's guardian"
    replacement._roll_back()
    smoothing._disarm()


@view
@external
def price() -> uint256:
    """@notice See `IOracleAdapter`."""
    return self._price_now(replacement._read())


@view
@external
def liquidation_prices() -> (uint256, uint256, bool):
    """@notice See `IOracleAdapter`. What a poke in this block would leave."""
    return self._liquidation_prices(self._booked_fundamental(), replacement._read())


@view
@external
def face_price(conservative: bool) -> (uint256, uint256):
    """@notice See `IOracleAdapter`."""
    feed: market.Reading = replacement._read()
    if conservative:
        return self._price_now(feed), feed.updated_at
    booked: uint256 = self._booked_fundamental()
    first: uint256 = 0
    smoothed: uint256 = 0
    usable: bool = False
    first, smoothed, usable = self._liquidation_prices(booked, feed)
    believed: bool = usable or not smoothing._lasts(smoothing._unpack())
    assert believed, "oracle: discount lasts, no feed"
    return first, feed.updated_at if first < booked else block.timestamp


@view
@external
def supply_gate() -> (bool, uint256, uint256):
    """@notice See `IOracleAdapter`."""
    level: uint256 = 0
    capacity: uint256 = 0
    level, capacity = self._gate()
    backed: bool = self._is_backed()
    return level <= capacity and backed, level, capacity


@view
@external
def fundamental() -> uint256:
    """@notice Booked fundamental price under the growth cap."""
    return self._booked_fundamental()


@view
@external
def market_price() -> (uint256, bool):
    """@notice The feed's price as it is now, not above fundamental, and whether it is usable."""
    feed: market.Reading = replacement._read()
    return min(feed.answer, self._booked_fundamental()), len(feed.fault) == 0


@view
@external
def discount() -> uint256:
    """@notice Smoothed discount of market to fundamental, WAD."""
    return smoothing._unpack().discount


@view
@external
def discount_state() -> smoothing.Smoothing:
    """@notice The smoothed discount with its clocks, as the last poke left them; see `smoothing`."""
    return smoothing._unpack()


@view
@external
def growth_cap() -> uint256:
    """@notice The most that fundamental may be now."""
    return cap._cap()


@internal
def _poke(booked: uint256, feed: market.Reading) -> (uint256, uint256, bool):
    """@return What `liquidation_prices` answers now."""
    usable: bool = len(feed.fault) == 0
    if usable or feed.dead:
        replacement._note(feed.dead)
    if not usable or booked == 0:
        return self._judge(booked, smoothing._unpack(), False)
    return self._judge(booked, smoothing._see(self._raw_discount(booked, feed)), True)


@view
@internal
def _liquidation_prices(booked: uint256, feed: market.Reading) -> (uint256, uint256, bool):
    if len(feed.fault) != 0 or booked == 0:
        return self._judge(booked, smoothing._unpack(), False)
    return self._judge(booked, smoothing._look(self._raw_discount(booked, feed)), True)


@view
@internal
def _judge(
    booked: uint256, state: smoothing.Smoothing, usable: bool
) -> (uint256, uint256, bool):
    """@notice Fundamental, or the smoothed market price where that is believed; and the rest."""
    smoothed: uint256 = booked * (WAD - state.discount) // WAD
    if usable and smoothing._lasts(state):
        return smoothed, smoothed, True
    return booked, smoothed, usable


@pure
@internal
def _raw_discount(booked: uint256, feed: market.Reading) -> uint256:
    return (booked - min(feed.answer, booked)) * WAD // booked


@view
@internal
def _gate() -> (uint256, uint256):
    """@return Level and capacity as a poke in this block would leave them."""
    supply: uint256 = staticcall IERC20(VAULT).totalSupply()
    return gate._look(supply)


@view
@internal
def _is_backed() -> bool:
    """@notice Whether the vault holds what it says; for this alone a balance counts, not for a price."""
    idle: uint256 = staticcall ILRTVault(VAULT).idle()
    held: uint256 = token._balance(LST, VAULT)
    return held >= idle


@view
@internal
def _price_now(feed: market.Reading) -> uint256:
    level: uint256 = 0
    capacity: uint256 = 0
    level, capacity = self._gate()
    return self._price(feed, level, capacity)


@view
@internal
def _price(feed: market.Reading, level: uint256, capacity: uint256) -> uint256:
    """@param level What the supply has above the accepted one, now; `capacity` is its bound."""
    assert len(feed.fault) == 0, concat("oracle: ", feed.fault)
    assert level <= capacity, "oracle: supply burst"
    backed: bool = self._is_backed()
    assert backed, "oracle: supply unbacked"
    live_rate: uint256 = staticcall ILRTVault(VAULT).live_rate()
    lst_rate: uint256 = staticcall IWstETH(LST).stEthPerToken()
    return min(feed.answer, min(live_rate * lst_rate, cap._cap()))


@view
@internal
def _booked_fundamental() -> uint256:
    return min(self._uncapped_fundamental(), cap._cap())


@view
@internal
def _uncapped_fundamental() -> uint256:
    """@dev What a quarantine is to give back travels with the shares: it is not lost for collateral."""
    booked_rate: uint256 = staticcall ILRTVault(VAULT).rate()
    expected: uint256 = staticcall ILRTVault(VAULT).expected_back()
    if expected != 0:
        supply: uint256 = staticcall IERC20(VAULT).totalSupply()
        booked_rate += expected * WAD // (supply + vault_shares.VIRTUAL)
    lst_rate: uint256 = staticcall IWstETH(LST).stEthPerToken()
    return booked_rate * lst_rate


@view
@internal
def _check_owner():
    owner: address = staticcall Roles(VAULT).owner()
    assert msg.sender == owner, "oracle: not the vault's owner"
