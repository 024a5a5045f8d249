"""Products and quotients of integers of 256 bits, rounded the way that is asked for."""

from __future__ import annotations

from relever.model.refused import require

WAD = 10**18
MAX_UINT256 = 2**256 - 1


def mul_div(a: int, b: int, divisor: int) -> int:
    """`a * b / divisor`, rounded down; the product may be as large as it likes.

    Raises:
        Refused: the result does not fit into 256 bits.
    """
    return _checked(a * b // divisor)


def mul_div_up(a: int, b: int, divisor: int) -> int:
    """`a * b / divisor`, rounded up; see `mul_div`."""
    return _checked(-(-a * b // divisor))


def _checked(result: int) -> int:
    require(result <= MAX_UINT256, "MathOverflowedMulDiv()")
    return result
