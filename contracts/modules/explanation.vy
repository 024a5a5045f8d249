# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What binds an oracle now
@custom:contract-name explanation
@license GNU Affero General Public License v3.0 only
@author Relever
@notice One view that says where each price comes from, and says so too where there is none.
@dev The prices are asked for from outside, as anyone would: one that reverts has its reason told
     instead of stopping the view, and one that eats its gas has an eighth of what is there. With less
     than two million gas the reason may be that; the view itself reverts only when it is given too
     little to read a feed.
"""
from ..interfaces import IOracleAdapter
from . import feed_replacement as replacement
from . import growth_cap as cap
from . import market_feed as market
from . import smoothing

uses: cap
uses: market
uses: replacement
uses: smoothing


WAD: constant(uint256) = 10**18


@view
@external
def explain() -> IOracleAdapter.Explanation:
    """@notice See `IOracleAdapter`."""
    told: IOracleAdapter.Explanation = empty(IOracleAdapter.Explanation)
    reading: market.Reading = replacement._read()
    told.feed = replacement._address(replacement._used)
    told.feed_usable = len(reading.fault) == 0
    told.feed_answer = reading.answer
    told.feed_updated_at = reading.updated_at
    told.feed_fault = self._fault(reading.fault)
    told.sequencer_fault = self._fault(market._sequencer_fault())
    told.growth_cap = cap._cap()
    told.checkpoint_ratio = cap._ratio(cap._checkpoint)
    told.checkpoint_time = cap._time(cap._checkpoint)

    state: smoothing.Smoothing = smoothing._unpack()
    told.discount = state.discount
    told.deep_time = state.deep_time
    told.lasting_time = smoothing.LASTING_TIME

    ok: bool = False
    data: Bytes[160] = b""
    ok, data = self._ask(method_id("fundamental()"))
    if ok:
        told.fundamental = abi_decode(slice(data, 0, 32), uint256)
        if told.feed_usable and told.fundamental != 0:
            lower: uint256 = min(reading.answer, told.fundamental)
            told.raw_discount = (told.fundamental - lower) * WAD // told.fundamental

    ok, data = self._ask(method_id("price()"))
    if ok:
        told.price = abi_decode(slice(data, 0, 32), uint256)
        if told.price == reading.answer:
            told.price_source = "feed"
        elif told.price == told.growth_cap:
            told.price_source = "growth cap"
        else:
            told.price_source = "live fundamental"
    else:
        told.price_source = self._reason(data)

    ok, data = self._ask(method_id("liquidation_prices()"))
    if ok:
        usable: bool = False
        told.liquidation_price, told.smoothed, usable = abi_decode(
            slice(data, 0, 96), (uint256, uint256, bool)
        )
        if told.liquidation_price < told.fundamental:
            told.liquidation_rule = "lasting discount"
        elif usable and told.smoothed < told.fundamental:
            told.liquidation_rule = "market deleverage"
        else:
            told.liquidation_rule = "fundamental"
    else:
        told.liquidation_rule = self._reason(data)

    ok, data = self._ask(method_id("supply_gate()"))
    if ok:
        told.gate_open, told.gate_level, told.gate_capacity = abi_decode(
            slice(data, 0, 96), (bool, uint256, uint256)
        )
    return told


@view
@internal
def _ask(question: Bytes[4]) -> (bool, Bytes[160]):
    """@return Whether one of the oracle's views answered, and its answer or what it reverted with."""
    ok: bool = False
    data: Bytes[160] = b""
    ok, data = raw_call(
        self,
        question,
        max_outsize=160,
        gas=msg.gas // 8,
        is_static_call=True,
        revert_on_failure=False,
    )
    return ok, data


@pure
@internal
def _fault(fault: String[20]) -> String[32]:
    return concat("oracle: ", fault) if len(fault) != 0 else ""


@pure
@internal
def _reason(data: Bytes[160]) -> String[32]:
    """@notice The text of an `Error(string)`, at most 32 bytes of it."""
    if len(data) < 100 or slice(data, 0, 4) != method_id("Error(string)"):
        return "no reason given"
    length: uint256 = min(convert(slice(data, 36, 32), uint256), 32)
    return convert(slice(slice(data, 68, 32), 0, length), String[32])
