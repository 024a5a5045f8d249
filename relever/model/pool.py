"""A Uniswap v3 pool with one position, exact to the unit.

Liquidity is there between two ticks; a swap walks from tick to tick, in steps that also end where a
word of the pool's bitmap does, and each step is rounded by itself. Square roots of prices are of
token 1 per token 0, scaled by 2**96. What the pool earns stays in it and changes no price.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log

from relever.model.health import ceil_div

MILLION = 10**6
# A word of the bitmap.
WORD = 256
# 1 / sqrt(1.0001**(2**i)) scaled by 2**128, as the pool has them.
_ROOTS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001, 0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC, 0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644, 0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861, 0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4, 0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3, 0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825, 0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7, 0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9, 0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98, 0x48A170391F7DC42444E8FA2,
)  # fmt: skip


def sqrt_price_at(tick: int) -> int:
    """The square root of a tick's price, rounded up."""
    ratio = 1 << 128
    for bit, root in enumerate(_ROOTS):
        if abs(tick) >> bit & 1:
            ratio = ratio * root >> 128
    if tick > 0:
        ratio = (2**256 - 1) // ratio
    return ceil_div(ratio, 1 << 32)


def tick_at(sqrt_price: int) -> int:
    """The last tick whose price is not above."""
    tick = floor(2 * log(sqrt_price / 2**96) / log(1.0001))
    while sqrt_price_at(tick) > sqrt_price:
        tick -= 1
    while sqrt_price_at(tick + 1) <= sqrt_price:
        tick += 1
    return tick


def amount0(low: int, high: int, liquidity: int, up: bool) -> int:
    """Token 0 between two square roots of prices."""
    numerator = (liquidity << 96) * (high - low)
    return ceil_div(ceil_div(numerator, high), low) if up else numerator // high // low


def amount1(low: int, high: int, liquidity: int, up: bool) -> int:
    """Token 1 between two square roots of prices."""
    product = liquidity * (high - low)
    return ceil_div(product, 1 << 96) if up else product >> 96


@dataclass
class Pool:
    """The pool as it stands; the position reaches from `lower` to below `upper`."""

    token0: str
    token1: str
    fee: int
    spacing: int
    lower: int
    upper: int
    # Of the position; the pool's is this while the price is in its range.
    liquidity: int
    sqrt_price: int
    tick: int

    @property
    def in_range(self) -> int:
        """Liquidity at the present price."""
        return self.liquidity if self.lower <= self.tick < self.upper else 0

    def swap(self, sell0: bool, amount: int, limit: int) -> tuple[int, int]:
        """Sell token 0 or token 1 until all is sold or the price is at the limit.

        Returns:
            What was taken of one token, and given of the other.
        """
        left, given = amount, 0
        while left and self.sqrt_price != limit:
            before, following = self.sqrt_price, self._following(sell0)
            end = sqrt_price_at(following)
            target = max(end, limit) if sell0 else min(end, limit)
            taken, out = self._step(sell0, left, target)
            left -= taken
            given += out
            if self.sqrt_price == end:
                self.tick = following - 1 if sell0 else following
            elif self.sqrt_price != before:
                self.tick = tick_at(self.sqrt_price)
        return amount - left, given

    def _following(self, down: bool) -> int:
        """Where the next step ends at the latest: an end of the position, or of a word."""
        place = self.tick // self.spacing
        if down:
            first = place // WORD * WORD * self.spacing
            ends = [end for end in (self.lower, self.upper) if first <= end <= self.tick]
            return max(ends, default=first)
        last = ((place + 1) // WORD * WORD + WORD - 1) * self.spacing
        ends = [end for end in (self.lower, self.upper) if self.tick < end <= last]
        return min(ends, default=last)

    def _step(self, sell0: bool, left: int, target: int) -> tuple[int, int]:
        """Move towards a price; returns what was taken, with the fee, and given."""
        price, liquidity = self.sqrt_price, self.in_range
        net = left * (MILLION - self.fee) // MILLION
        if sell0:
            needed = amount0(target, price, liquidity, up=True)
            if net < needed:
                whole = liquidity << 96
                self.sqrt_price = ceil_div(whole * price, whole + net * price)
            else:
                self.sqrt_price = target
            moved = amount0(self.sqrt_price, price, liquidity, up=True)
            out = amount1(self.sqrt_price, price, liquidity, up=False)
        else:
            needed = amount1(price, target, liquidity, up=True)
            if net < needed:
                self.sqrt_price = price + (net << 96) // liquidity
            else:
                self.sqrt_price = target
            moved = amount1(price, self.sqrt_price, liquidity, up=True)
            out = amount0(price, self.sqrt_price, liquidity, up=False)
        if self.sqrt_price != target:
            return left, out
        return moved + ceil_div(moved * self.fee, MILLION - self.fee), out
