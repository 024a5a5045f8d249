# pragma version 0.4.3
"""
@title Adaptive-curve interest
@custom:contract-name interest
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The rate at target utilisation drifts up while the market is used more than the target, and down
        while less; around it the curve reaches 4 times that rate at full use and a quarter at none.
        Constants are those of Morpho's AdaptiveCurveIrm, so that the two can be compared.
@dev The rate at target is kept as a 32-bit code: code = log2(rate / MIN_RATE) * 2**28. A drift is then
     a sum, and one step of the code is 2.6e-9 of the rate. Rates are WAD per year.
     Nothing is checked for overflow, for nothing can overflow: the caller's assets are below 2**112,
     and what is borrowed is at most what is supplied; a code is at most MAX_CODE; time elapsed is
     below 2**32. The bounds that follow from it stand beside each step.
"""


WAD: constant(uint256) = 10**18
YEAR: constant(uint256) = 365 * 86_400

# 0.1 % a year, the rate that code 0 stands for: WAD / 1000.
MIN_RATE: constant(uint256) = 10**15
# log2(2000) * 2**28, rounded down: 200 % a year.
MAX_CODE: constant(uint256) = 2_943_605_304
# log2(40) * 2**28, to the nearest: 4 % a year.
INITIAL_CODE: constant(uint256) = 1_428_594_195
# Codes per year at full deviation: 50 / ln(2) * 2**28.
ADAPTATION: constant(uint256) = 19_363_525_058
DRIFT_SCALE: constant(uint256) = WAD * YEAR

# The middle of two codes is kept as their sum: one bit more than a code's 28.
SUM_BITS: constant(uint256) = 29
SUM_MASK: constant(uint256) = 2**29 - 1

# Codes, 1.1 % of the rate: up to here the mean of three rates is the middle one and a little more.
SMALL_DRIFT: constant(uint256) = 2**22
# ln(2)**2, WAD.
LN2_SQUARED: constant(uint256) = 480_453_013_918_201_424


@internal
@pure
def _rate_between(sum: uint256) -> uint256:
    """
    @notice The rate at target in the middle of two codes: MIN_RATE * 2**(sum / 2**29), WAD per year.
    @dev The polynomial interpolates 2**x on [0, 1] at eight Chebyshev points; its relative error is
         below 1e-10. Each step of it is at most 2**61 and x below 2**29; the last shift is by 10 bits.
    """
    x: uint256 = sum & SUM_MASK
    power: uint256 = unsafe_add(143_111_212_132_668, unsafe_mul(21_651_724_393_659, x) >> SUM_BITS)
    power = unsafe_add(1_342_630_036_063_796, unsafe_mul(power, x) >> SUM_BITS)
    power = unsafe_add(9_613_929_873_581_703, unsafe_mul(power, x) >> SUM_BITS)
    power = unsafe_add(55_505_088_107_116_819, unsafe_mul(power, x) >> SUM_BITS)
    power = unsafe_add(240_226_405_402_309_104, unsafe_mul(power, x) >> SUM_BITS)
    power = unsafe_add(693_147_183_644_402_251, unsafe_mul(power, x) >> SUM_BITS)
    power = unsafe_add(WAD, unsafe_mul(power, x) >> SUM_BITS)
    return unsafe_div(power << (sum >> SUM_BITS), WAD // MIN_RATE)


@internal
@pure
def _accrue(
    code: uint256, borrow_assets: uint256, supply_assets: uint256, elapsed: uint256
) -> (uint256, uint256, uint256):
    """
    @notice Interest on `borrow_assets` over `elapsed` seconds at this utilisation, rounded down; the code
            afterwards, rounded to the nearest; and the average rate that was paid, WAD per year.
    @dev The average is the mean of the rates at the start, at the end and twice in the middle, each kept
         within the least and the most. Compounding is e**x - 1 to the third order, which is low by at
         most e**x * x**4/24.
         Less than a unit of the loan token is lost each time: nothing at 18 decimals, but a token of
         6 decimals should not be lent in tiny markets.
    """
    used: uint256 = unsafe_mul(borrow_assets, 10)
    # Where nothing is supplied, a utilisation of none.
    target: uint256 = max(unsafe_mul(supply_assets, 9), 1)
    above: bool = used >= target
    # From the target, as a part of what there is on that side, WAD; the products are below 2**176.
    deviation: uint256 = 0
    if above:
        deviation = unsafe_div(unsafe_mul(unsafe_sub(used, target), WAD), supply_assets)
    else:
        deviation = unsafe_div(unsafe_mul(unsafe_sub(target, used), WAD), target)

    # 2**60 * 2**32 * 2**35; a drift is below 2**42.
    drift: uint256 = unsafe_div(
        unsafe_add(unsafe_mul(unsafe_mul(deviation, elapsed), ADAPTATION), DRIFT_SCALE // 2),
        DRIFT_SCALE,
    )
    middle: uint256 = unsafe_add(code, code)
    curve: uint256 = unsafe_mul(deviation, 3)
    end: uint256 = 0
    if above:
        end = min(unsafe_add(code, drift), MAX_CODE)
        middle = min(unsafe_add(middle, drift), 2 * MAX_CODE)
        # Four at full use.
        curve = unsafe_add(WAD, curve)
    else:
        end = unsafe_sub(code, min(code, drift))
        middle = unsafe_sub(middle, min(middle, drift))
        # A quarter at no use.
        curve = unsafe_sub(WAD, curve >> 2)

    rate: uint256 = self._rate_between(middle)
    if end != code:
        if drift < SMALL_DRIFT and middle == unsafe_add(code, end):
            # middle * (1 + cosh y) / 2 = middle * (1 + y**2/4 + y**4/48 + ...), where y is
            # drift * ln(2) / 2**29: the third term is below 2e-11.
            # 2**22 * 2**22 * 2**59, and 2**61 * 2**43.
            bend: uint256 = unsafe_mul(unsafe_mul(drift, drift), LN2_SQUARED) >> 60
            rate = unsafe_add(rate, unsafe_div(unsafe_mul(rate, bend), WAD))
        else:
            start_rate: uint256 = self._rate_between(unsafe_add(code, code))
            end_rate: uint256 = self._rate_between(unsafe_add(end, end))
            rate = unsafe_add(unsafe_add(start_rate, end_rate), unsafe_add(rate, rate)) >> 2
    # 2**61 * 2**62.
    rate = unsafe_div(unsafe_mul(rate, curve), WAD)
    # At most 800 % a year for 2**32 seconds: x is below 2**70, and x + x**2/2 + x**3/6 below 2**89.
    # 2**70 * 2**70 * 2**71 in the one product, 2**112 * 2**89 in the other.
    x: uint256 = unsafe_div(unsafe_mul(rate, elapsed), YEAR)
    growth: uint256 = unsafe_add(
        x, unsafe_div(unsafe_mul(unsafe_mul(x, x), unsafe_add(x, 3 * WAD)), 6 * WAD * WAD)
    )
    return unsafe_div(unsafe_mul(borrow_assets, growth), WAD), end, rate


@internal
@pure
def _borrow_rate(code: uint256, borrow_assets: uint256, supply_assets: uint256) -> uint256:
    """@notice What borrowers pay at this moment, WAD per year."""
    return self._accrue(code, borrow_assets, supply_assets, 0)[2]
