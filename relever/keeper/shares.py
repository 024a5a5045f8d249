"""What leveraged tokens and the backstop pool need of a keeper.

A rebalance pays; everything else is upkeep.
"""

from __future__ import annotations

from collections.abc import Iterator

from relever.keeper.acts import (
    CHECKPOINT,
    ENQUEUE,
    HARVEST,
    REBALANCE,
    SERVE,
    START,
    Act,
    ways,
)
from relever.keeper.node import Head, Node, Refused
from relever.keeper.suite import Request, Suite, decoded

WAD = 10**18
PRICE_SCALE = 10**36
# The ways out of the LRT that a rebalance may take, as contracts/interfaces/IRoute.vyi has them.
_ROUTES = {"swap": 1, "redeem": 2}
# Pools are thin: all that a token asks for is tried, and these parts of it.
_PARTS = (1, 4, 16)
# Less WETH than this is not worth a transaction of the backstop's.
_LEAST_PAID = WAD // 1_000
# Exits that one transaction pays, and the most that the pool walks over in one.
_SERVED, _LONGEST_WALK = 32, 128


def shares_upkeep(node: Node, suite: Suite, head: Head) -> Iterator[Act]:
    """Auctions that may begin, periods that are over, and the backstop. Raises `NodeError`."""
    for token in suite.tokens.values():
        period = suite.read(node, suite.token(token, "terms")).period
        last = suite.read(node, suite.token(token, "last_checkpoint")).time
        if head.timestamp >= last + period:
            yield Act(CHECKPOINT, token, ways(suite, CHECKPOINT, token))
        starts = ways(suite, START, token)
        if _works(node, suite, starts[START]):
            yield Act(START, token, starts)
    if "backstop" in suite.addresses:
        yield from _backstop(node, suite)


def rebalances(node: Node, suite: Suite) -> Iterator[Act]:
    """Auctions that serve a taker now. Raises `NodeError`."""
    for token in suite.tokens.values():
        try:
            found = suite.read(node, suite.token(token, "auction"))
        except Refused:
            # Leverage is not raised without a price.
            continue
        if not found.is_open:
            continue
        calls = {
            _way(route, part): take(suite, token, found.lowers, found.most // part, number, 0)
            for route, number in _routes(found.lowers).items()
            for part in _PARTS
        }
        yield Act(REBALANCE, token, calls, found.most, _price(node, suite, found.lowers))


def take(suite: Suite, token: str, lowers: bool, amount: int, route: int, least: int) -> Request:
    """The rebalancer's call that fails when less than `least` is left of what it is given."""
    return suite.request("rebalancer", "take", token, lowers, amount, route, least)


def _way(route: str, part: int) -> str:
    return route if part == 1 else f"{route} 1/{part}"


def _routes(lowers: bool) -> dict[str, int]:
    """What is bought is bought the better way by itself."""
    return _ROUTES if lowers else {"buy": _ROUTES["swap"]}


def _price(node: Node, suite: Suite, lowers: bool) -> int:
    """WETH for a unit of what is earned, scaled by 1e36: LRT at what the market lends on."""
    if lowers:
        return PRICE_SCALE
    return int(suite.read(node, suite.request("oracle", "price")))


def _works(node: Node, suite: Suite, request: Request) -> bool:
    try:
        suite.read(node, request)
    except Refused:
        return False
    return True


def _backstop(node: Node, suite: Suite) -> Iterator[Act]:
    """What was bought is queued, what was paid is sold, and who waits is paid of it."""
    pool = suite.addresses["backstop"]

    def said(function: str) -> int:
        return int(suite.read(node, suite.request("backstop", function)))

    if said("unqueued"):
        queued = ways(suite, ENQUEUE, pool)
        if _works(node, suite, queued[ENQUEUE]):
            yield Act(ENQUEUE, pool, queued)
    claims = [
        claim
        for claim in suite.read(node, suite.request("backstop", "open_claims"))
        if suite.read(node, suite.request("queue", "request", claim)).claimable_shares
    ]
    if claims or said("lst"):
        target = ":".join([pool, *map(str, claims)])
        yield from _paying(node, suite, Act(HARVEST, target, ways(suite, HARVEST, target)))
    if said("waiting_shares"):
        yield from _serving(node, suite, pool, said("next_id") - said("head"))


def _serving(node: Node, suite: Suite, pool: str, waiting: int) -> Iterator[Act]:
    """Exits are paid when that is worth it; crumbs that somebody put before them are walked over.

    Args:
        waiting: no fewer than wait in the line.
    """
    for count in (_SERVED, _LONGEST_WALK):
        target = f"{pool}:{count}"
        act = Act(SERVE, target, ways(suite, SERVE, target))
        if found := list(_paying(node, suite, act)):
            yield from found
            return
    # While a slash is visible a walk ends where it begins.
    if waiting > _LONGEST_WALK and _moves_on(node, suite, act.ways[SERVE]):
        yield act


def _moves_on(node: Node, suite: Suite, serve: Request) -> bool:
    """Whether a walk settles whole exits, whatever it pays for them."""
    head = suite.request("backstop", "head")
    try:
        walked = node.simulate([serve.body(), head.body()], "latest")[1]
    except Refused:
        return False
    return walked is not None and decoded(head, walked[0]) > suite.read(node, head)


def _paying(node: Node, suite: Suite, act: Act) -> Iterator[Act]:
    """Only for what it pays out, or takes in."""
    (request,) = act.ways.values()
    try:
        paid = suite.read(node, request)
    except Refused:
        return
    if paid >= _LEAST_PAID:
        yield act
