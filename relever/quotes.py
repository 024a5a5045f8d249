"""What the router would do now, and what a position is worth, owes, earns and has to fear.

Each function is one `eth_call` of the Quoter or the Outlook (`exits` a few); nothing is sent.
Amounts are in wei of WETH, LRT or wstETH, prices in WETH per LRT scaled by 1e36, ratios and yearly
rates in WAD (10**18 is one), times in seconds. What is infinite is None.

A quote holds for the state and the time of the block it was asked of: the router does just that in
the next transaction, if nothing else happens before and no time passes. What the owner holds, has
approved and has authorised is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relever.artifacts import artifact
from relever.chain import Contract, Revert
from relever.protocol import NOBODY, PRICE_SCALE, WAD, Protocol
from relever.reasons import explain

# The ways out of the LRT that pay at once, as the router knows them.
ROUTES = {"swap": 1, "redeem": 2, "stable": 4}
# What `quote_leverage` may be short, in wei.
STEP = 10**9
_INFINITE = 2**256 - 1


class QuoteRefused(Exception):
    """What was asked would be refused. `reason` is what the contract says."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {explain(reason)}")
        self.reason = reason


@dataclass(frozen=True)
class Position:
    """A position and what would be done to it; see `IOutlook.Position`.

    `collateral` in wei of LRT, `debt` and `worth` in wei of WETH; `ltv`, `leverage`, `health` and
    `conservative_health` in WAD, None where infinite; the prices in WETH per LRT scaled by 1e36.
    """

    collateral: int
    debt: int
    worth: int
    ltv: int | None
    leverage: int | None
    health: int | None
    conservative_health: int | None
    liquidation_price: int
    deleverage_price: int
    deleverage_floor: int


@dataclass(frozen=True)
class Opening:
    """What opening or raising a position would do, in wei; `position` is that afterwards.

    `sold` WETH buys `bought` LRT in the pool, `minted` LRT is minted for the rest, `returned` WETH
    goes back. `refusal` says why the market would refuse it, and is empty when it would not.
    """

    refusal: str
    sold: int
    bought: int
    minted: int
    returned: int
    position: Position


@dataclass(frozen=True)
class Closing:
    """What lowering or closing a position would do, in wei of WETH; `position` is that afterwards.

    The sale fetches `received`, of which `repaid` repays and `paid_out` goes to the owner.
    `refusal` says why it would be refused, and is empty when it would not.
    """

    refusal: str
    received: int
    repaid: int
    paid_out: int
    position: Position


@dataclass(frozen=True)
class Exit:
    """One way out of the LRT: what it pays, what it costs, and the seconds until it pays.

    `paid` in wei of WETH; `cost` is what that is less than the LRT's worth at the fundamental
    price, negative when it is more.
    `refusal` says why the way is not there now, and is empty when it is; the rest is 0 then.
    """

    name: str
    paid: int
    cost: int
    seconds: int
    refusal: str

    @property
    def days(self) -> float:
        """Until it pays, in days."""
        return self.seconds / 86_400


@dataclass(frozen=True)
class Carry:
    """What a position earns and pays: rates in WAD a year, `net` in wei of WETH a year.

    `collateral_yield` is measured over `measured` seconds. `net_on_equity` is `net` per worth less
    debt. `seconds_to_liquidation` is None when carry alone does not bring it about.
    """

    borrow_rate: int
    collateral_yield: int
    measured: int
    net: int
    net_on_equity: int
    seconds_to_liquidation: int | None


def ltv_of(leverage: int) -> int:
    """Debt per worth (WAD, rounded down) at a leverage (WAD). Raises `ValueError` below one."""
    if leverage < WAD:
        raise ValueError(f"leverage {leverage} is below one: worth is never less than equity")
    return (leverage - WAD) * WAD // leverage


def leverage_of(ltv: int) -> int:
    """Worth per equity (WAD, rounded down) at an LTV (WAD). Raises `ValueError` outside [0, 1)."""
    if not 0 <= ltv < WAD:
        raise ValueError(f"an LTV of {ltv} has no leverage: give one from 0 to less than {WAD}")
    return WAD * WAD // (WAD - ltv)


def token_address(protocol: Protocol, name: str) -> str:
    """The address of "ether" (zero), "weth", "steth", "wsteth" or "lrt". Raises `ValueError`."""
    if name == "ether":
        return NOBODY
    reads = {"weth": "WETH", "steth": "STETH", "wsteth": "LST", "lrt": "LRT"}
    if name not in reads:
        raise ValueError(f"no token {name!r}: take one of ether, {', '.join(reads)}")
    address: str = getattr(protocol.router, reads[name])()
    return address


def position(protocol: Protocol, owner: str, market: Contract | None = None) -> Position:
    """A position as it is, at the deployment's market or another of its factory."""
    return _position(protocol.outlook.position(_market(protocol, market), owner))


def carry(protocol: Protocol, owner: str, market: Contract | None = None) -> Carry:
    """What a position earns and pays a year, and when that alone has it liquidated."""
    said = protocol.outlook.carry(_market(protocol, market), owner)
    return Carry(
        said.borrow_rate,
        said.collateral_yield,
        said.measured,
        said.net,
        said.net_on_equity,
        _finite(said.seconds_to_liquidation),
    )


def seconds_to_liquidation(
    protocol: Protocol, owner: str, collateral_yield: int, market: Contract | None = None
) -> int | None:
    """Seconds until interest, and a yield one believes in (WAD a year), have it liquidated.

    None when that is not within 17 years.

    Raises:
        QuoteRefused: the yield is beyond a million a year.
    """
    arguments = (_market(protocol, market), owner, collateral_yield)
    try:
        return _finite(protocol.outlook.seconds_to_liquidation(*arguments))
    except Revert as failure:
        raise QuoteRefused("the time to liquidation", failure.reason) from failure


def quote_open(
    protocol: Protocol,
    owner: str,
    token_in: str,
    amount_in: int,
    borrow: int,
    market: Contract | None = None,
) -> Opening:
    """What `open` of the router would do for the owner.

    Args:
        token_in: its address, zero for ether; see `token_address`.
        amount_in: in the token's wei.
        borrow: wei of WETH.

    Raises:
        QuoteRefused: it would be refused before there is a position.
    """
    said = _ask(
        protocol, "quote_open", owner, _market(protocol, market), token_in, amount_in, borrow
    )
    return _opening(said)


def quote_leverage(
    protocol: Protocol,
    owner: str,
    token_in: str,
    amount_in: int,
    leverage: int,
    market: Contract | None = None,
) -> tuple[int, Opening]:
    """The most to borrow for a leverage (WAD), in wei and less than `STEP` short; what `open` does.

    Raises:
        QuoteRefused: it cannot be had, or would be refused before there is a position.
    """
    borrow, said = _ask(
        protocol, "quote_leverage", owner, _market(protocol, market), token_in, amount_in, leverage
    )
    return borrow, _opening(said)


def quote_close(
    protocol: Protocol,
    owner: str,
    collateral_out: int,
    repay: int,
    route: int,
    market: Contract | None = None,
) -> Closing:
    """What `close` of the router would do for the owner.

    Args:
        collateral_out: wei of LRT.
        repay: wei of WETH; at most the debt is repaid.
        route: one of `ROUTES`.

    Raises:
        QuoteRefused: it would be refused before there is a position.
    """
    said = _ask(
        protocol, "quote_close", owner, _market(protocol, market), collateral_out, repay, route
    )
    return Closing(
        said.refusal, said.received, said.repaid, said.paid_out, _position(said.position)
    )


def quote_sale(protocol: Protocol, amount: int, route: int) -> int:
    """Wei of WETH that so much LRT (wei) fetches by one of `ROUTES`. Raises `QuoteRefused`."""
    paid: int = _ask(protocol, "quote_sale", amount, route)
    return paid


def exits(protocol: Protocol, amount: int, market: Contract | None = None) -> tuple[Exit, ...]:
    """Every way out of so much LRT (wei): swap, redeem, stable and queue, in this order."""
    oracle = protocol.oracle if market is None else _oracle_of(protocol, market)
    worth = amount * oracle.liquidation_prices()[0] // PRICE_SCALE
    found = []
    for name, route in ROUTES.items():
        try:
            paid = quote_sale(protocol, amount, route)
        except QuoteRefused as refused:
            found.append(Exit(name, 0, 0, 0, refused.reason))
        else:
            found.append(Exit(name, paid, worth - paid, 0, ""))
    try:
        wsteth, seconds = protocol.outlook.queue_exit(protocol.vault.address, amount)
    except Revert as failure:
        return (*found, Exit("queue", 0, 0, 0, failure.reason))
    paid = wsteth * worth_of_wsteth(protocol) // WAD
    return (*found, Exit("queue", paid, worth - paid, seconds, ""))


def worth_of_wsteth(protocol: Protocol) -> int:
    """ETH that one wstETH stands for, WAD."""
    lst = protocol.chain.contract(token_address(protocol, "wsteth"), _LST)
    rate: int = lst.stEthPerToken()
    return rate


_LST = [
    {
        "type": "function",
        "name": "stEthPerToken",
        "inputs": [],
        "outputs": [{"name": "", "type": "uint256"}],
        "stateMutability": "view",
    }
]


def _ask(protocol: Protocol, name: str, *arguments: Any) -> Any:
    try:
        return getattr(protocol.quoter, name).call(*arguments)
    except Revert as failure:
        raise QuoteRefused(name.replace("_", " "), failure.reason) from failure


def _market(protocol: Protocol, market: Contract | None) -> str:
    return (market or protocol.market).address


def _oracle_of(protocol: Protocol, market: Contract) -> Contract:
    return protocol.chain.contract(market.terms().oracle, artifact("OracleAdapter"))


def _opening(said: Any) -> Opening:
    return Opening(
        said.refusal, said.sold, said.bought, said.minted, said.returned, _position(said.position)
    )


def _position(said: Any) -> Position:
    return Position(
        said.collateral,
        said.debt,
        said.worth,
        _finite(said.ltv),
        _finite(said.leverage),
        _finite(said.health),
        _finite(said.conservative_health),
        said.liquidation_price,
        said.deleverage_price,
        said.deleverage_floor,
    )


def _finite(value: int) -> int | None:
    return None if value == _INFINITE else value
