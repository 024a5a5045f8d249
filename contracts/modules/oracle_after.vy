# pragma version 0.4.3
"""
@title Prices of an oracle, now and after a change of the vault
@custom:contract-name oracle_after
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What `OracleAdapter` would say of other rates and another supply in this block.
"""
from ethereum.ercs import IERC20

from ..interfaces import IAggregatorV3
from ..interfaces import ILRTVault
from ..interfaces import IOracleAdapter
from . import revert_reason
from . import token


struct Prices:
    # What positions are liquidated by.
    fundamental: uint256
    # What may be borrowed by, or why nothing may.
    conservative: uint256
    fault: String[32]


# As `smoothing` has it.
struct Smoothing:
    discount: uint256
    armed_at: uint256
    deep_at: uint256
    deep_time: uint256


interface Adapter:
    def discount_state() -> Smoothing: view
    def DISCOUNT_SPEED() -> uint256: view
    def MAX_GAP() -> uint256: view
    def DEEP_DISCOUNT() -> uint256: view
    def LASTING_TIME() -> uint256: view
    def feed() -> address: view


WAD: constant(uint256) = 10**18
# Of a price: its scale is 1e36.
FEED_DECIMALS: constant(uint256) = 36


@view
@internal
def _now(oracle: address) -> Prices:
    fundamental: uint256 = 0
    smoothed: uint256 = 0
    usable: bool = False
    fundamental, smoothed, usable = staticcall IOracleAdapter(oracle).liquidation_prices()
    price: uint256 = 0
    fault: String[32] = ""
    price, fault = self._price_now(oracle)
    return Prices(fundamental=fundamental, conservative=price, fault=fault)


@view
@internal
def _after(
    oracle: address,
    vault: address,
    lst: address,
    supply: uint256,
    uncapped: uint256,
    live: uint256,
    readable: bool,
) -> Prices:
    """
    @param supply Of the LRT.
    @param uncapped Fundamental price before the growth cap, and `live` that of who leaves.
    @param readable Whether the vault can tell the latter.
    """
    cap: uint256 = staticcall IOracleAdapter(oracle).growth_cap()
    booked: uint256 = min(uncapped, cap)
    market: uint256 = 0
    usable: bool = False
    market, usable = staticcall IOracleAdapter(oracle).market_price()
    price: uint256 = 0
    fault: String[32] = ""
    if not usable:
        price, fault = self._price_now(oracle)
        return Prices(fundamental=booked, conservative=0, fault=fault)
    answer: uint256 = self._feed_answer(oracle)
    fundamental: uint256 = self._believed(oracle, booked, answer) if booked != 0 else 0
    accepted: bool = self._accepts(oracle, vault, supply)
    idle: uint256 = staticcall ILRTVault(vault).idle()
    held: uint256 = token._balance(lst, vault)
    if not accepted:
        fault = "oracle: supply burst"
    elif held < idle:
        fault = "oracle: supply unbacked"
    elif not readable:
        fault = "vault: adapter unreadable"
    else:
        price = min(answer, min(live, cap))
    return Prices(fundamental=fundamental, conservative=price, fault=fault)


@view
@internal
def _feed_answer(oracle: address) -> uint256:
    """@return What the feed says, which can be used, as a price."""
    feed: address = staticcall Adapter(oracle).feed()
    decimals: uint8 = staticcall IAggregatorV3(feed).decimals()
    answer: int256 = (staticcall IAggregatorV3(feed).latestRoundData())[1]
    return convert(answer, uint256) * 10 ** (FEED_DECIMALS - convert(decimals, uint256))


@view
@internal
def _believed(oracle: address, booked: uint256, answer: uint256) -> uint256:
    """@return The booked price, or the smoothed market price while a discount lasts."""
    state: Smoothing = staticcall Adapter(oracle).discount_state()
    most_gap: uint256 = staticcall Adapter(oracle).MAX_GAP()
    speed: uint256 = staticcall Adapter(oracle).DISCOUNT_SPEED()
    deep: uint256 = staticcall Adapter(oracle).DEEP_DISCOUNT()
    lasting: uint256 = staticcall Adapter(oracle).LASTING_TIME()
    raw: uint256 = (booked - min(answer, booked)) * WAD // booked
    discount: uint256 = min(raw, state.discount + speed * self._since(state.armed_at, most_gap))
    time: uint256 = state.deep_time + self._since(state.deep_at, most_gap)
    if discount < deep or time < lasting:
        return booked
    return booked * (WAD - discount) // WAD


@view
@internal
def _since(time: uint256, most: uint256) -> uint256:
    return 0 if time == 0 else min(block.timestamp - time, most)


@view
@internal
def _accepts(oracle: address, vault: address, supply: uint256) -> bool:
    """
    @notice Whether the supply gate would be open at this supply.
    @dev How far an accepted supply is above the real one is not told. Where it is, and the supply rises
         by more than a capacity at once, this says no where the gate may say yes.
    """
    is_open: bool = False
    level: uint256 = 0
    capacity: uint256 = 0
    is_open, level, capacity = staticcall IOracleAdapter(oracle).supply_gate()
    present: uint256 = staticcall IERC20(vault).totalSupply()
    accepted: uint256 = present - level
    return supply <= accepted + capacity


@view
@internal
def _price_now(oracle: address) -> (uint256, String[32]):
    """@return The price for borrowing, or why there is none."""
    done: bool = False
    answer: Bytes[revert_reason.REASON_SIZE] = b""
    done, answer = raw_call(
        oracle,
        method_id("price()"),
        max_outsize=revert_reason.REASON_SIZE,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not done:
        return 0, revert_reason._reason(answer)
    return abi_decode(slice(answer, 0, 32), uint256), ""
