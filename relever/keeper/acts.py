"""What a keeper can do, and how to find out that it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from relever.keeper.book import Book, Breach, Watched
from relever.keeper.config import Policy
from relever.keeper.node import Head, Node, Refused
from relever.keeper.suite import Request, Suite

WAD = 10**18
UNLIMITED = 2**256 - 1
# The ways out of the LRT, as contracts/interfaces/IRoute.vyi numbers them.
ROUTES = {"swap": 1, "redeem": 2, "backstop": 8}
LIQUIDATE, ORDER, REBALANCE = "liquidate", "order", "rebalance"
SYNC, POKE, FINALISE, ACCRUE = "sync", "poke", "finalise", "accrue"
# The way of what was sent before.
AGAIN = "again"
CHECKPOINT, START = "checkpoint", "start auction"
ENQUEUE, HARVEST, SERVE = "enqueue", "harvest", "serve"
UPKEEP = frozenset({SYNC, POKE, FINALISE, ACCRUE, CHECKPOINT, START, ENQUEUE, HARVEST, SERVE})
# Smaller changes than this part are not worth a transaction, WAD.
_NOTICEABLE = WAD // 10_000
# Least shares that are worth paying out, and the most requests that the queue walks in one call.
_LEAST_SHARES, _LONGEST_WALK = WAD // 100, 128
# A liquidation that used less gas than this would be news: what cannot pay for it is not simulated.
_LEAST_GAS = 200_000


@dataclass(frozen=True)
class Act:
    """Something to do: `kind` and `target` name it, `ways` are the calls that do it, by name.

    `worth` orders acts and is the most that it can bring, in wei of WETH; 0 for upkeep. `price` is
    what a unit of what it brings is in WETH, scaled by 1e36.
    """

    kind: str
    target: str
    ways: dict[str, Request]
    worth: int = 0
    price: int = 10**36


def ways(suite: Suite, kind: str, target: str) -> dict[str, Request]:
    """The calls that do an act, by name; for what was sent before a restart, too."""
    match kind:
        case "sync":
            return {kind: suite.request("vault", "sync")}
        case "poke":
            return {kind: suite.oracle(target, "poke")}
        case "accrue":
            return {kind: suite.market(target, "accrue")}
        case "finalise":
            return {kind: suite.request("queue", "finalize", int(target.split(":")[1]))}
        case "checkpoint":
            return {kind: suite.token(target, "checkpoint")}
        case "start auction":
            return {kind: suite.token(target, "start_auction")}
        case "enqueue":
            return {kind: suite.request("backstop", "enqueue")}
        case "harvest":
            claims = [int(claim) for claim in target.split(":")[1:]]
            return {kind: suite.request("backstop", "harvest", claims)}
        case "serve":
            return {kind: suite.request("backstop", "serve", int(target.split(":")[1]))}
    market, owner = target.split(":")
    return {
        way: liquidate(suite, market, owner, route, 0)
        for way, route in ROUTES.items()
        if way != "backstop" or way in suite.addresses
    }


def liquidations(
    node: Node, suite: Suite, book: Book, breaches: list[Breach], policy: Policy, fee: int
) -> Iterator[Act]:
    """An act for each breach that could pay for its gas, the largest first. Raises `NodeError`.

    Args:
        fee: wei per gas, with the tip.
    """
    acts = []
    cash = _backstop_cash(node, suite) if breaches else 0
    for one in breaches:
        watched = book.markets[one.market]
        # The bonus at most, and what redeeming brings above a market price that far lower.
        worth = one.debt * (watched.terms.max_bonus + WAD // 4) // WAD
        if worth < _LEAST_GAS * fee + policy.least_net_profit_wei:
            continue
        target = f"{one.market}:{one.owner}"
        calls = ways(suite, LIQUIDATE, target)
        if cash < watched.terms.min_debt:
            # It buys all that is seized or nothing: not worth a request for each position.
            calls.pop("backstop", None)
        acts.append(Act(LIQUIDATE, target, calls, worth))
    yield from sorted(acts, key=lambda act: -act.worth)


def _backstop_cash(node: Node, suite: Suite) -> int:
    """WETH that the backstop pool has for seized LRT; 0 without one, and while it buys nothing."""
    if "backstop" not in suite.addresses:
        return 0
    try:
        return int(suite.read(node, suite.request("backstop", "free_cash")))
    except Refused:
        return 0


def liquidate(suite: Suite, market: str, owner: str, route: int, least: int) -> Request:
    """The liquidator's call that fails when it brings less than `least` wei."""
    return suite.request("liquidator", "liquidate", market, owner, UNLIMITED, route, least)


def upkeep(node: Node, suite: Suite, book: Book, policy: Policy, head: Head) -> Iterator[Act]:
    """Everything that earns nothing and keeps the protocol true. Raises `NodeError`."""
    yield from _sync(node, suite)
    for market, watched in book.markets.items():
        yield from _poke(node, suite, policy, head, watched)
        yield from _accrue(node, suite, policy, head, market, watched.accrued_block)
    yield from _finalise(node, suite, policy)


def _sync(node: Node, suite: Suite) -> Iterator[Act]:
    """A loss is booked at once: only then can it be liquidated on. A gain when it is noticeable."""
    vault = suite.addresses["vault"]
    booked = suite.read(node, suite.request("vault", "totalAssets"))
    request = suite.request("vault", "sync")
    found = suite.read(node, suite.request("lens", "vault", vault))
    noticeable = booked * _NOTICEABLE // WAD
    lost = sum(max(0, one.booked - one.live) for one in found.adapters if not one.quarantined)
    gained = sum(max(0, one.live - one.booked) for one in found.adapters if not one.quarantined)
    if lost <= noticeable // 100 and gained <= noticeable:
        return
    # An adapter that cannot be read shows 0 and is not booked: what counts is what a sync would do.
    try:
        after = suite.read(node, request)[0]
    except Refused:
        return
    if after != booked:
        yield Act(SYNC, vault, {SYNC: request})


def _poke(node: Node, suite: Suite, policy: Policy, head: Head, watched: Watched) -> Iterator[Act]:
    """The smoothed discount follows the feed only as far as pokes see it."""
    oracle = watched.terms.oracle
    try:
        found = suite.read(node, suite.oracle(oracle, "explain"))
    except Refused:
        return
    if not found.feed_usable or abs(found.raw_discount - found.discount) <= _NOTICEABLE:
        return
    last = node.block(watched.poked_block).timestamp if watched.poked_block else 0
    if head.timestamp - last >= policy.poke_every_seconds:
        yield Act(POKE, oracle, ways(suite, POKE, oracle))


def _accrue(
    node: Node, suite: Suite, policy: Policy, head: Head, market: str, accrued: int
) -> Iterator[Act]:
    """The rate follows utilisation, and the protocol's shares stand in for losses, once booked."""
    if not accrued:
        return
    if head.timestamp - node.block(accrued).timestamp >= policy.accrue_every_seconds:
        yield Act(ACCRUE, market, ways(suite, ACCRUE, market))


def _finalise(node: Node, suite: Suite, policy: Policy) -> Iterator[Act]:
    """Requests that idle assets can pay: as few as are worth it, and never a crumb of one."""
    head = suite.read(node, suite.request("queue", "head"))
    waiting = suite.read(node, suite.request("queue", "next_id")) - head
    if waiting == 0:
        return
    for count in (policy.finalise_requests, _LONGEST_WALK):
        target = f"{suite.addresses['queue']}:{count}"
        (request,) = (calls := ways(suite, FINALISE, target)).values()
        try:
            shares = suite.read(node, request)
        except Refused:
            return
        if shares >= _LEAST_SHARES:
            yield Act(FINALISE, target, calls)
            return
    # Somebody has filled the line with requests of dust, or cancelled ones.
    first = suite.read(node, suite.request("queue", "request", head))
    if waiting > _LONGEST_WALK and first.shares < _LEAST_SHARES:
        yield Act(FINALISE, target, calls)
