# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title OracleAdapter
@custom:contract-name OracleAdapter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Prices an LRT over wstETH in WETH: *fundamental* is vault rate times LST rate, under a growth
        cap; *market* is a feed, never above fundamental, whose falls are smoothed.
@dev Prices are loan units per collateral unit scaled by 1e36; LRT, wstETH and WETH have 18 decimals,
     so that the product of two WAD rates is a price.
     Failure modes: an unusable feed stops `price` and changes nothing in the smoothed discount; an
     adapter of the vault that cannot be read stops `price`; so does a supply of the LRT that grew
     faster than it may or that the vault's own balance does not back, until time has passed, or the
     vault's owner has explained it. `liquidation_prices` depends on none of them.
     A wrong feed is answered by new terms, that is by a new market.
"""
from ethereum.ercs import IERC20

from ..interfaces import IAggregatorV3
from ..interfaces import ILRTVault
from ..interfaces import IOracleAdapter
from ..interfaces import IWstETH

# Whether the supply grew faster than it may.
from ..modules import supply_gate as gate
from ..modules import token
from ..modules import vault_shares

initializes: gate

implements: IOracleAdapter

exports: (
    gate.GATE_FLOOR,
    gate.GATE_SHARE,
    gate.GATE_WINDOW,
)


interface Owned:
    def owner() -> address: view


struct Parameters:
    # Most seconds since the feed's answer.
    max_age: uint256
    # Answers outside of [min, max] are refused; prices.
    min_answer: uint256
    max_answer: uint256
    # Most growth of fundamental since the checkpoint, WAD per year.
    max_growth: uint256
    # How fast the smoothed discount may deepen, WAD per second, and for how long one poke counts.
    discount_speed: uint256
    max_gap: uint256
    # How much of the LRT may come in `gate_window` seconds: share units, or a WAD share of the supply
    # where that is more.
    gate_floor: uint256
    gate_share: uint256
    gate_window: uint256


# What the feed says as a price, and why it is not usable, or an empty string.
struct Reading:
    answer: uint256
    reason: String[32]


WAD: constant(uint256) = 10**18
YEAR: constant(uint256) = 365 * 86_400
# A proposal must stand this long before it is promoted, and is void after twice that.
CHECKPOINT_DELAY: constant(uint256) = 86_400
# A feed gets this much gas and no more, and a call that could not give it that much reverts, so that
# nobody can make a good feed look dead.
FEED_GAS: constant(uint256) = 150_000
GAS_FLOOR: constant(uint256) = FEED_GAS * 64 // 63 + 10_000

VAULT: public(immutable(address))
LST: public(immutable(address))
FEED: public(immutable(address))
FEED_SCALE: immutable(uint256)
MAX_AGE: public(immutable(uint256))
MIN_ANSWER: public(immutable(uint256))
MAX_ANSWER: public(immutable(uint256))
MAX_GROWTH: public(immutable(uint256))
DISCOUNT_SPEED: public(immutable(uint256))
MAX_GAP: public(immutable(uint256))

# Smoothed discount, WAD.
discount: public(uint256)
# Time of the last poke that saw a discount deeper than the smoothed one; 0 when the last saw none.
armed_at: public(uint256)
# Base of the growth cap; ratio and time always move together.
checkpoint_ratio: public(uint256)
checkpoint_time: public(uint256)
proposed_ratio: public(uint256)
proposed_time: public(uint256)


@deploy
def __init__(vault: address, lst: address, feed: address, parameters: Parameters):
    """@dev The first checkpoint is the present ratio, which must be inside the feed's own band."""
    feed_decimals: uint256 = convert(staticcall IAggregatorV3(feed).decimals(), uint256)
    assert feed_decimals <= 18, "oracle: feed decimals"
    assert parameters.max_age > 0, "oracle: max age"
    assert 0 < parameters.min_answer, "oracle: min answer"
    assert parameters.min_answer < parameters.max_answer, "oracle: max answer"
    assert parameters.max_growth <= WAD, "oracle: max growth"
    assert parameters.discount_speed <= WAD, "oracle: discount speed"
    VAULT = vault
    LST = lst
    FEED = feed
    FEED_SCALE = 10 ** (36 - feed_decimals)
    MAX_AGE = parameters.max_age
    MIN_ANSWER = parameters.min_answer
    MAX_ANSWER = parameters.max_answer
    MAX_GROWTH = parameters.max_growth
    DISCOUNT_SPEED = parameters.discount_speed
    MAX_GAP = parameters.max_gap

    supply: uint256 = staticcall IERC20(vault).totalSupply()
    gate.__init__(
        parameters.gate_floor, parameters.gate_share, parameters.gate_window, supply
    )

    booked_rate: uint256 = staticcall ILRTVault(vault).rate()
    lst_rate: uint256 = staticcall IWstETH(lst).stEthPerToken()
    ratio: uint256 = booked_rate * lst_rate
    in_band: bool = parameters.min_answer <= ratio and ratio <= parameters.max_answer
    assert in_band, "oracle: rate out of bounds"
    self.checkpoint_ratio = ratio
    self.checkpoint_time = block.timestamp
    log IOracleAdapter.CheckpointPromoted(ratio=ratio, time=block.timestamp)


@external
def poke() -> bool:
    """@notice See `IOracleAdapter`."""
    supply: uint256 = staticcall IERC20(VAULT).totalSupply()
    gate._see(supply)
    feed: Reading = self._read_feed()
    return self._poke(self._booked_fundamental(), feed)[1]


@external
def poke_price() -> uint256:
    """@notice `poke`, then `price`."""
    feed: Reading = self._read_feed()
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
    feed: Reading = self._read_feed()
    smoothed: uint256 = 0
    usable: bool = False
    smoothed, usable = self._poke(booked, feed)
    return booked, smoothed, usable


@external
def propose_checkpoint():
    """
    @notice Propose the present fundamental, or a cap 1 % lower than now where that is more; one
            proposal stands at a time.
    @dev A checkpoint taken in a dip must not hold the price down when the dip is over; after a lasting
         loss the cap follows by 1 % a day.
    """
    pending: bool = block.timestamp < self.proposed_time + 2 * CHECKPOINT_DELAY
    assert not pending, "oracle: proposal pending"
    cap: uint256 = self._growth_cap()
    ratio: uint256 = max(self._booked_fundamental(), cap - cap // 100)
    self.proposed_ratio = ratio
    self.proposed_time = block.timestamp
    log IOracleAdapter.CheckpointProposed(ratio=ratio)


@external
def promote_checkpoint():
    """
    @notice Make the standing proposal the cap's base, dated when it was proposed.
    @dev It was under the cap when it was proposed, so that ratio and time move together along a path
         that was allowed. One that would cut the present price is refused.
    """
    proposed: uint256 = self.proposed_time
    assert proposed != 0, "oracle: no proposal"
    assert block.timestamp >= proposed + CHECKPOINT_DELAY, "oracle: proposal too young"
    assert block.timestamp < proposed + 2 * CHECKPOINT_DELAY, "oracle: proposal expired"
    before: uint256 = self._booked_fundamental()
    ratio: uint256 = self.proposed_ratio
    self.checkpoint_ratio = ratio
    self.checkpoint_time = proposed
    self.proposed_time = 0
    after: uint256 = self._booked_fundamental()
    assert after >= before, "oracle: checkpoint cuts price"
    log IOracleAdapter.CheckpointPromoted(ratio=ratio, time=proposed)


@external
def accept_supply(most: uint256):
    """@notice See `IOracleAdapter`."""
    owner: address = staticcall Owned(VAULT).owner()
    assert msg.sender == owner, "oracle: not the vault's owner"
    supply: uint256 = staticcall IERC20(VAULT).totalSupply()
    accepted: uint256 = gate._accept(supply, most)
    log IOracleAdapter.SupplyAccepted(supply=supply, accepted=accepted)


@view
@external
def price() -> uint256:
    """@notice See `IOracleAdapter`."""
    feed: Reading = self._read_feed()
    level: uint256 = 0
    capacity: uint256 = 0
    level, capacity = self._gate()
    return self._price(feed, level, capacity)


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
def liquidation_prices() -> (uint256, uint256, bool):
    """@notice See `IOracleAdapter`. What a poke in this block would leave."""
    booked: uint256 = self._booked_fundamental()
    feed: Reading = self._read_feed()
    discount: uint256 = 0
    armed_at: uint256 = 0
    usable: bool = False
    discount, armed_at, usable = self._smoothed(booked, feed)
    return booked, booked * (WAD - discount) // WAD, usable


@view
@external
def fundamental() -> uint256:
    """@notice Booked fundamental price under the growth cap."""
    return self._booked_fundamental()


@view
@external
def market_price() -> (uint256, bool):
    """@notice The feed's price as it is now, not above fundamental, and whether it is usable."""
    feed: Reading = self._read_feed()
    return min(feed.answer, self._booked_fundamental()), feed.reason == ""


@view
@external
def growth_cap() -> uint256:
    """@notice The most that fundamental may be now."""
    return self._growth_cap()


@internal
def _poke(booked: uint256, feed: Reading) -> (uint256, bool):
    """@return The smoothed market price, and whether the feed is usable."""
    discount: uint256 = 0
    armed_at: uint256 = 0
    usable: bool = False
    discount, armed_at, usable = self._smoothed(booked, feed)
    if usable:
        if discount != self.discount:
            log IOracleAdapter.Poked(discount=discount)
        self.discount = discount
        self.armed_at = armed_at
    return booked * (WAD - discount) // WAD, usable


@view
@internal
def _smoothed(booked: uint256, feed: Reading) -> (uint256, uint256, bool):
    """
    @notice Discount and arming time that a poke would leave now, and whether the feed is usable.
    @dev The first poke that sees a deeper discount only arms the clock; later ones deepen the stored
         one by the speed times what has passed since the last that saw it too, a deeper one by
         however little, and at most `max_gap`. A recovery passes at once.
    """
    stored: uint256 = self.discount
    armed_at: uint256 = self.armed_at
    if feed.reason != "" or booked == 0:
        return stored, armed_at, False
    raw: uint256 = (booked - min(feed.answer, booked)) * WAD // booked
    if raw <= stored:
        return raw, 0, True
    if armed_at == 0:
        return stored, block.timestamp, True
    step: uint256 = DISCOUNT_SPEED * min(block.timestamp - armed_at, MAX_GAP)
    return min(raw, stored + step), block.timestamp, True


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
def _price(feed: Reading, level: uint256, capacity: uint256) -> uint256:
    """@param level What the supply has above the accepted one, now; `capacity` is its bound."""
    assert feed.reason == "", feed.reason
    assert level <= capacity, "oracle: supply burst"
    backed: bool = self._is_backed()
    assert backed, "oracle: supply unbacked"
    live_rate: uint256 = staticcall ILRTVault(VAULT).live_rate()
    lst_rate: uint256 = staticcall IWstETH(LST).stEthPerToken()
    return min(feed.answer, min(live_rate * lst_rate, self._growth_cap()))


@view
@internal
def _booked_fundamental() -> uint256:
    """@dev What a quarantine is to give back travels with the shares: it is not lost for collateral."""
    booked_rate: uint256 = staticcall ILRTVault(VAULT).rate()
    expected: uint256 = staticcall ILRTVault(VAULT).expected_back()
    if expected != 0:
        supply: uint256 = staticcall IERC20(VAULT).totalSupply()
        booked_rate += expected * WAD // (supply + vault_shares.VIRTUAL)
    lst_rate: uint256 = staticcall IWstETH(LST).stEthPerToken()
    return min(booked_rate * lst_rate, self._growth_cap())


@view
@internal
def _growth_cap() -> uint256:
    elapsed: uint256 = block.timestamp - self.checkpoint_time
    ratio: uint256 = self.checkpoint_ratio
    return ratio + ratio * MAX_GROWTH * elapsed // (WAD * YEAR)


@view
@internal
def _read_feed() -> Reading:
    assert msg.gas > GAS_FLOOR, "oracle: not enough gas"
    ok: bool = False
    data: Bytes[160] = b""
    ok, data = raw_call(
        FEED,
        method_id("latestRoundData()"),
        max_outsize=160,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not ok or len(data) != 160:
        return Reading(answer=0, reason="oracle: feed does not answer")
    answer: int256 = convert(slice(data, 32, 32), int256)
    updated_at: uint256 = convert(slice(data, 96, 32), uint256)
    if answer <= 0:
        return Reading(answer=0, reason="oracle: bad answer")
    if updated_at > block.timestamp or block.timestamp - updated_at > MAX_AGE:
        return Reading(answer=0, reason="oracle: stale feed")
    if convert(answer, uint256) > MAX_ANSWER // FEED_SCALE:
        return Reading(answer=0, reason="oracle: answer out of bounds")
    scaled: uint256 = convert(answer, uint256) * FEED_SCALE
    if scaled < MIN_ANSWER:
        return Reading(answer=0, reason="oracle: answer out of bounds")
    return Reading(answer=scaled, reason="")
