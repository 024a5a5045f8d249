"""Amounts as people write them: `5ether`, `20gwei`, `3.5x`, `0.5%`, `max`. Never a bare number."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext

WAD = 10**18
UNITS = {"ether": 10**18, "gwei": 10**9, "wei": 1}
# Stands for all there is; every function of the suite that takes it takes 2**256 - 1 for it.
MAX = 2**256 - 1
# No token of the suite has so many units: what is above was not meant.
_LIMIT = 2**128
_MOST_SLIPPAGE = WAD // 2
_WRITTEN = re.compile(r"([+-]?[0-9.,_e+-]*[0-9.])?\s*([a-z%]*)", re.I | re.A)
_NUMBER = re.compile(r"[0-9]{1,80}(\.[0-9]{1,80})?", re.A)


class UnitError(ValueError):
    """What was written is no such quantity; says what is wrong and how to write it."""


def amount(text: str) -> int:
    """`5ether` in wei, exactly; the unit of a token with 18 decimals is `ether` too.

    Raises `UnitError`.
    """
    number, unit = _split(text, "5ether")
    if unit not in UNITS:
        said = f"has the unit {unit!r}, which is none" if unit else "has no unit"
        raise UnitError(f"the amount {text!r} {said}: write one of {', '.join(UNITS)} after it")
    wei = _scaled(text, number, UNITS[unit], "5ether")
    if wei >= _LIMIT:
        raise UnitError(f"the amount {text!r} is more than there can be: check its unit")
    return wei


def amount_or_max(text: str) -> int:
    """The same, or `max` for all there is (`MAX`). Raises `UnitError`."""
    return MAX if text == "max" else amount(text)


def leverage(text: str) -> int:
    """`3.5x` in WAD. Raises `UnitError` below one."""
    number, unit = _split(text, "3.5x")
    if unit != "x":
        raise UnitError(f"the leverage {text!r} has no x: write it like 3.5x")
    wad = _scaled(text, number, WAD, "3.5x")
    if wad < WAD:
        raise UnitError(
            f"the leverage {text!r} is below 1x: a position is never worth less than its equity"
        )
    if wad >= _LIMIT:
        raise UnitError(f"the leverage {text!r} is more than any market gives: ask for less")
    return wad


def share(text: str) -> int:
    """`0.5%` in WAD, for slippage. Raises `UnitError` above 50 %."""
    number, unit = _split(text, "0.5%")
    if unit != "%":
        raise UnitError(f"the share {text!r} has no %: write it like 0.5%")
    wad = _scaled(text, number, WAD // 100, "0.5%")
    if wad > _MOST_SLIPPAGE:
        raise UnitError(f"the share {text!r} is above 50%: that bounds nothing, ask for less")
    return wad


def written(wei: int) -> str:
    """Wei as `amount` reads it, exactly."""
    with localcontext() as context:
        context.prec = 80
        digits = f"{Decimal(wei) / WAD:f}"
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + "ether"


def _split(text: str, example: str) -> tuple[str, str]:
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or not found[1]:
        raise UnitError(f"{text!r} is no quantity: write it like {example}")
    return found[1], found[2].lower()


def _scaled(text: str, number: str, scale: int, example: str) -> int:
    if number.startswith("-"):
        raise UnitError(f"{text!r} is negative: there is nothing below zero here")
    if not _NUMBER.fullmatch(number):
        raise UnitError(f"{text!r} is no plain number with a unit: write it like {example}")
    with localcontext() as context:
        context.prec = 400
        exact = Decimal(number) * scale
    if exact != exact.to_integral_value():
        raise UnitError(f"{text!r} is finer than the smallest unit: leave out some decimals")
    return int(exact)
