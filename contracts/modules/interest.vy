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
"""


WAD: constant(uint256) = 10**18
SIGNED_WAD: constant(int256) = 10**18
YEAR: constant(uint256) = 365 * 86_400
CODE_BITS: constant(uint256) = 28
CODE_MASK: constant(uint256) = 2**28 - 1

TARGET_UTILISATION: constant(uint256) = 9 * 10**17
# 0.1 % a year, the rate that code 0 stands for.
MIN_RATE: constant(uint256) = 10**15
# log2(2000) * 2**28, rounded down: 200 % a year.
MAX_CODE: constant(int256) = 2_943_605_304
# log2(40) * 2**28, to the nearest: 4 % a year.
INITIAL_CODE: constant(uint256) = 1_428_594_195
# Codes per year at full deviation: 50 / ln(2) * 2**28.
ADAPTATION: constant(int256) = 19_363_525_058
# Slopes from target to full use, and from target to none, less one: 4 - 1 and 1 - 1/4.
STEEPNESS_ABOVE: constant(uint256) = 3
STEEPNESS_BELOW: constant(uint256) = 75 * 10**16


@internal
@pure
def _rate_at_target(code: uint256) -> uint256:
    """
    @notice MIN_RATE * 2**(code / 2**28), WAD per year.
    @dev The polynomial interpolates 2**x on [0, 1] at eight Chebyshev points; its relative error is
         below 1e-10. Every factor is below 2**62, so that nothing overflows.
    """
    x: uint256 = code & CODE_MASK
    power: uint256 = 21_651_724_393_659
    power = 143_111_212_132_668 + (power * x >> CODE_BITS)
    power = 1_342_630_036_063_796 + (power * x >> CODE_BITS)
    power = 9_613_929_873_581_703 + (power * x >> CODE_BITS)
    power = 55_505_088_107_116_819 + (power * x >> CODE_BITS)
    power = 240_226_405_402_309_104 + (power * x >> CODE_BITS)
    power = 693_147_183_644_402_251 + (power * x >> CODE_BITS)
    power = WAD + (power * x >> CODE_BITS)
    return (MIN_RATE * power << (code >> CODE_BITS)) // WAD


@internal
@pure
def _deviation(borrow_assets: uint256, supply_assets: uint256) -> int256:
    """@notice Signed distance from target utilisation, WAD: -1 at no use, 1 at full use."""
    utilisation: uint256 = borrow_assets * WAD // supply_assets if supply_assets > 0 else 0
    if utilisation >= TARGET_UTILISATION:
        above: uint256 = (utilisation - TARGET_UTILISATION) * WAD // (WAD - TARGET_UTILISATION)
        return convert(above, int256)
    below: uint256 = (TARGET_UTILISATION - utilisation) * WAD // TARGET_UTILISATION
    return -convert(below, int256)


@internal
@pure
def _curve(rate_at_target: uint256, deviation: int256) -> uint256:
    """@notice The borrow rate that the curve gives at this deviation, WAD per year."""
    if deviation >= 0:
        return rate_at_target * (WAD + STEEPNESS_ABOVE * convert(deviation, uint256)) // WAD
    return rate_at_target * (WAD - STEEPNESS_BELOW * convert(-deviation, uint256) // WAD) // WAD


@internal
@pure
def _borrow_rate(code: uint256, borrow_assets: uint256, supply_assets: uint256) -> uint256:
    """@notice What borrowers pay at this moment, WAD per year."""
    deviation: int256 = self._deviation(borrow_assets, supply_assets)
    return self._curve(self._rate_at_target(code), deviation)


@internal
@pure
def _drift(code: uint256, deviation: int256, elapsed: uint256) -> uint256:
    """@notice The code after `elapsed` seconds at this deviation, rounded to the nearest."""
    seconds: int256 = convert(elapsed, int256)
    scale: int256 = SIGNED_WAD * convert(YEAR, int256)
    half: int256 = scale // 2 if deviation >= 0 else -(scale // 2)
    drifted: int256 = convert(code, int256) + (deviation * seconds * ADAPTATION + half) // scale
    return convert(max(0, min(drifted, MAX_CODE)), uint256)


@internal
@pure
def _accrue(
    code: uint256, borrow_assets: uint256, supply_assets: uint256, elapsed: uint256
) -> (uint256, uint256):
    """
    @notice Interest on `borrow_assets` over `elapsed` seconds, rounded down, and the code afterwards.
    @dev The rate over the period is the mean of its start, its end and twice its middle. Compounding
         is e**x - 1 to the third order, which is low by at most e**x * x**4/24.
         Less than a unit of the loan token is lost each time: nothing at 18 decimals, but a token of
         6 decimals should not be lent in tiny markets.
    """
    deviation: int256 = self._deviation(borrow_assets, supply_assets)
    end: uint256 = self._drift(code, deviation, elapsed)
    if borrow_assets == 0:
        return 0, end
    at_target: uint256 = self._rate_at_target(code)
    if end != code:
        at_start: uint256 = at_target
        at_middle: uint256 = self._rate_at_target((code + end) // 2)
        at_end: uint256 = self._rate_at_target(end)
        at_target = (at_start + 2 * at_middle + at_end) // 4
    x: uint256 = self._curve(at_target, deviation) * elapsed // YEAR
    square: uint256 = x * x // WAD // 2
    cube: uint256 = square * x // WAD // 3
    return borrow_assets * (x + square + cube) // WAD, end
