# pragma version 0.4.3
"""
@title MathsProbe
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The market's arithmetic laid open: interest, health, shares and packed words.
"""
from modules import health
from modules import interest
from modules import packing
from modules import shares


@pure
@external
def rate_between(sum: uint256) -> uint256:
    return interest._rate_between(sum)


@pure
@external
def borrow_rate(code: uint256, borrow_assets: uint256, supply_assets: uint256) -> uint256:
    return interest._borrow_rate(code, borrow_assets, supply_assets)


@pure
@external
def average_rate(
    code: uint256, borrow_assets: uint256, supply_assets: uint256, elapsed: uint256
) -> (uint256, uint256):
    """@return The rate, and the code afterwards."""
    earned: uint256 = 0
    end: uint256 = 0
    rate: uint256 = 0
    earned, end, rate = interest._accrue(code, borrow_assets, supply_assets, elapsed)
    return rate, end


@pure
@external
def accrue(
    code: uint256, borrow_assets: uint256, supply_assets: uint256, elapsed: uint256
) -> (uint256, uint256):
    """@return Interest, and the code afterwards."""
    earned: uint256 = 0
    end: uint256 = 0
    rate: uint256 = 0
    earned, end, rate = interest._accrue(code, borrow_assets, supply_assets, elapsed)
    return earned, end


@pure
@external
def accrue_repeatedly(
    code: uint256, borrow_assets: uint256, supply_assets: uint256, elapsed: uint256, times: uint256
) -> (uint256, uint256):
    """@return Borrowed assets and the code after so many accruals, each of `elapsed` seconds."""
    now_code: uint256 = code
    borrowed: uint256 = borrow_assets
    supplied: uint256 = supply_assets
    for _: uint256 in range(times, bound=100_000):
        earned: uint256 = 0
        rate: uint256 = 0
        earned, now_code, rate = interest._accrue(now_code, borrowed, supplied, elapsed)
        borrowed += earned
        supplied += earned
    return borrowed, now_code


@pure
@external
def constants() -> (uint256, uint256, uint256, uint256, uint256):
    """@return Least rate, the code of the most, the code to start from, codes per year, small drift."""
    return (
        interest.MIN_RATE,
        interest.MAX_CODE,
        interest.INITIAL_CODE,
        interest.ADAPTATION,
        interest.SMALL_DRIFT,
    )


@pure
@external
def worth_down(collateral: uint256, price: uint256) -> uint256:
    return health._worth_down(collateral, price)


@pure
@external
def within(debt: uint256, worth: uint256, ltv: uint256) -> bool:
    return health._within(debt, worth, ltv)


@pure
@external
def pays(collateral: uint256, price: uint256, debt: uint256, bonus: uint256) -> bool:
    return health._pays(collateral, price, debt, bonus)


@pure
@external
def bonus(
    collateral: uint256,
    price: uint256,
    debt: uint256,
    threshold: uint256,
    base: uint256,
    most: uint256,
) -> uint256:
    return health._bonus(collateral, price, debt, threshold, base, most)


@pure
@external
def repay_to_target_up(
    debt: uint256,
    worth: uint256,
    price: uint256,
    hand_over: uint256,
    threshold: uint256,
    target: uint256,
    bonus: uint256,
) -> uint256:
    return health._repay_to_target_up(debt, worth, price, hand_over, threshold, target, bonus)


@pure
@external
def repay_for_all_up(worth: uint256, bonus: uint256) -> uint256:
    return health._repay_for_all_up(worth, bonus)


@pure
@external
def seized_down(
    repaid: uint256, collateral: uint256, debt: uint256, hand_over: uint256, bonus: uint256
) -> uint256:
    return health._seized_down(repaid, collateral, debt, hand_over, bonus)


@pure
@external
def to_shares_down(assets: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    return shares._to_shares_down(assets, total_assets, total_shares)


@pure
@external
def to_shares_up(assets: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    return shares._to_shares_up(assets, total_assets, total_shares)


@pure
@external
def to_assets_down(amount: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    return shares._to_assets_down(amount, total_assets, total_shares)


@pure
@external
def to_assets_up(amount: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    return shares._to_assets_up(amount, total_assets, total_shares)


@pure
@external
def pack_totals(assets: uint256, amount: uint256, tail: uint256) -> uint256:
    return packing._pack_totals(assets, amount, tail)


@pure
@external
def unpack_totals(word: uint256) -> (uint256, uint256, uint256):
    return packing._unpack_totals(word)


@pure
@external
def pack_position(collateral: uint256, debt_shares: uint256) -> uint256:
    return packing._pack_position(collateral, debt_shares)


@pure
@external
def unpack_position(word: uint256) -> (uint256, uint256):
    return packing._unpack_position(word)
