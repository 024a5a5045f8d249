"""What the leveraged tokens, their zap and the backstop pool would do now.

Each function tries the very call with `eth_call` in the name of who would send it, and sends
nothing: what it says, or refuses, is what the next transaction does, if nothing happens before and
no time passes. So, unlike the quotes of the router, what the owner holds and has approved counts.
Amounts are in wei, shares have 18 decimals, prices are scaled by 1e36.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relever.chain import Contract, Revert
from relever.protocol import NOBODY, UNLIMITED
from relever.quotes import QuoteRefused

_ALL = 2**255


@dataclass(frozen=True)
class InKind:
    """LRT and WETH that change hands for shares of a leveraged token."""

    lrt: int
    weth: int


@dataclass(frozen=True)
class Taking:
    """What a taker brings and gets: WETH for LRT where leverage falls, else LRT for WETH."""

    brought: int
    got: int


@dataclass(frozen=True)
class Entering:
    """Shares that the zap mints for an input, and LRT that comes back."""

    shares: int
    returned: int


@dataclass(frozen=True)
class Leaving:
    """What the zap pays of the token asked for, and WETH that is left where that is another."""

    paid: int
    returned: int


@dataclass(frozen=True)
class Waiting:
    """A place in the backstop's line: the most that it will be paid, and shares ahead of it."""

    id: int
    worth: int
    ahead: int


def quote_mint(token: Contract, owner: str, shares: int) -> InKind:
    """LRT to be paid for so many shares, and WETH to be had with them.

    Raises:
        QuoteRefused: it would be refused, also by the market: a dead feed, no cash, a halt.
    """
    return InKind(*_tried("mint", token.mint, shares, UNLIMITED, 0, owner, sender=owner))


def quote_redeem(token: Contract, owner: str, shares: int) -> InKind:
    """LRT to be had for so many shares, and WETH to be repaid. Raises `QuoteRefused`."""
    return InKind(*_tried("redeem", token.redeem, shares, UNLIMITED, 0, owner, sender=owner))


def quote_rebalance(token: Contract, taker: str, lowers: bool, amount: int = _ALL) -> Taking:
    """What bringing at most so much would do. Raises `QuoteRefused`.

    Args:
        lowers: whether leverage is to fall; see `auction` of the token.
        amount: WETH where it is to fall, else LRT; all that is needed if left out.
    """
    return Taking(*_tried("rebalance", token.rebalance, lowers, amount, 0, sender=taker))


def quote_enter(
    zap: Contract, owner: str, token: Contract, token_in: str, amount_in: int
) -> Entering:
    """What the zap would mint. Raises `QuoteRefused`.

    Args:
        token_in: an address, zero for ether; see `relever.quotes.token_address`.
    """
    asked = token.address, token_in, amount_in, 0, owner, UNLIMITED
    value = amount_in if token_in == NOBODY else 0
    return Entering(*_tried("enter", zap.enter, *asked, sender=owner, value=value))


def quote_leave(
    zap: Contract,
    owner: str,
    token: Contract,
    shares: int,
    token_out: str,
    sold: int,
    route: int,
) -> Leaving:
    """What the zap would pay. Raises `QuoteRefused`.

    Args:
        token_out: the address of WETH, wstETH or the LRT.
        sold: LRT to be sold for the repayment; with WETH all is sold.
        route: one of `relever.quotes.ROUTES`.
    """
    asked = token.address, shares, (token_out, sold, route, 0, 0), owner, UNLIMITED
    return Leaving(*_tried("leave", zap.leave, *asked, sender=owner))


def quote_backing(pool: Contract, owner: str, assets: int) -> int:
    """Shares of the backstop pool for so much WETH. Raises `QuoteRefused`."""
    return int(_tried("deposit", pool.deposit, assets, owner, sender=owner))


def quote_cash(pool: Contract, owner: str, shares: int) -> int:
    """WETH that the backstop pool pays for so many shares at once. Raises `QuoteRefused`."""
    return int(_tried("redeem", pool.redeem, shares, owner, owner, sender=owner))


def quote_exit(pool: Contract, owner: str, shares: int) -> Waiting:
    """The place that so many shares would get in the backstop's line. Raises `QuoteRefused`."""
    asked = shares, owner, owner
    number = _tried("request exit", pool.request_exit, *asked, sender=owner)
    return Waiting(int(number), int(pool.previewRedeem(shares)), int(pool.waiting_shares()))


def _tried(what: str, method: Any, *arguments: Any, **given: Any) -> Any:
    try:
        return method.call(*arguments, **given)
    except Revert as failure:
        raise QuoteRefused(f"quote {what}", failure.reason) from failure
