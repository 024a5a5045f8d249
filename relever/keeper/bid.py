"""Whether an act is worth its gas, and what to offer for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relever.keeper.acts import AGAIN, LIQUIDATE, ORDER, REBALANCE, ROUTES, UPKEEP, Act, liquidate
from relever.keeper.config import Policy
from relever.keeper.node import Head, Node, Refused
from relever.keeper.suite import Request, Suite, decoded

# Gas used may differ from what was simulated: other transactions come first.
_GAS_MARGIN_PER_CENT = 150
# A call may need a part more gas than it uses: a caller keeps a sixty-fourth of what it hands on.
_UNUSED = 10
_PRICE_SCALE = 10**36
# EIP-1559: the base fee rises by an eighth a block at most.
_NEXT = 8


class Skip(Exception):
    """It is not to be sent; the message is why, in few words."""


@dataclass(frozen=True)
class Bid:
    """A call to send: gas limit, fees in wei per gas, and the least profit on chain in wei.

    `expected` is the profit when simulated, before gas.
    """

    act: Act
    way: str
    request: Request
    gas: int
    fee: int
    tip: int
    least: int
    expected: int


def likely_fee(head: Head, policy: Policy) -> int:
    """Most wei per gas of the next block, tip included."""
    return head.base_fee + head.base_fee // _NEXT + policy.tip_wei_per_gas


def bid(
    node: Node,
    suite: Suite,
    policy: Policy,
    head: Head,
    sender: str,
    act: Act,
    tag: str,
    floor: int = 0,
) -> Bid:
    """Simulate every way of an act on the pending or the latest state, and choose the best.

    Args:
        tag: "pending" for what is new, "latest" for what is pending itself.
        floor: least to offer, in wei per gas.

    Raises:
        Skip: none is worth it.
        NodeError: no answer.
    """
    if act.kind == LIQUIDATE:
        return _liquidation(node, suite, policy, head, sender, act, tag, floor)
    if act.kind == ORDER or AGAIN in act.ways:
        return _order(node, policy, head, sender, act, tag, floor)
    if act.kind == REBALANCE:
        return _rebalance(node, policy, head, sender, act, tag, floor)
    assert act.kind in UPKEEP
    return _upkeep(node, policy, head, sender, act, tag, floor)


def together(
    node: Node, suite: Suite, policy: Policy, head: Head, sender: str, acts: Sequence[Act], tag: str
) -> tuple[list[Bid], dict[str, str]]:
    """Liquidations simulated one after the other, each on what those before it leave behind.

    Args:
        tag: of the state by which each act's way is chosen.

    Returns:
        Bids that hold in this order, and why there is none for the other acts, by their targets.

    Raises:
        Refused: the node cannot simulate so.
        NodeError: no answer.
    """
    chosen, why = _best_ways(node, acts, sender, tag)
    found = node.simulate([act.ways[way].body(sender) for act, way in chosen], "pending")
    bids = []
    for (act, way), answer in zip(chosen, found, strict=True):
        if answer is None:
            why[act.target] = "spoilt by those before"
            continue
        returned, gas = answer
        profit = int(decoded(act.ways[way], returned))
        try:
            offer = _offer(suite, policy, head, act, way, profit, gas + gas // _UNUSED, 0)
        except Skip as skip:
            why[act.target] = str(skip)
            continue
        bids.append(offer)
    return bids, why


def _best_ways(
    node: Node, acts: Sequence[Act], sender: str, tag: str
) -> tuple[list[tuple[Act, str]], dict[str, str]]:
    """The way of each act that brings most, and why there is none, by the target."""
    ways = [(act, way) for act in acts for way in act.ways]
    answers = node.calls([act.ways[way].body(sender) for act, way in ways], tag)
    best: dict[str, tuple[int, str]] = {}
    why: dict[str, str] = {}
    for (act, way), answer in zip(ways, answers, strict=True):
        if isinstance(answer, Refused):
            why[act.target] = str(answer)[:80]
            continue
        profit = int(decoded(act.ways[way], answer))
        best[act.target] = max(best.get(act.target, (-1, "")), (profit, way))
    chosen = [(act, best[act.target][1]) for act in acts if act.target in best]
    return chosen, {target: said for target, said in why.items() if target not in best}


def _liquidation(
    node: Node,
    suite: Suite,
    policy: Policy,
    head: Head,
    sender: str,
    act: Act,
    tag: str,
    floor: int,
) -> Bid:
    profit, way, gas = _best(node, sender, act, tag)
    return _offer(suite, policy, head, act, way, profit, gas, floor)


def _best(node: Node, sender: str, act: Act, tag: str) -> tuple[int, str, int]:
    """What the way that brings most brings, its name, and the gas that it takes. Raises `Skip`."""
    found, why = [], "no way out"
    for name, request in act.ways.items():
        try:
            found.append((int(decoded(request, node.call(request.body(sender), tag))), name))
        except Refused as error:
            why = str(error)
    if not found:
        raise Skip(why[:80])
    profit, way = max(found)
    try:
        return profit, way, node.gas(act.ways[way].body(sender), tag)
    except Refused as error:
        raise Skip(str(error)[:80]) from error


def _rebalance(
    node: Node, policy: Policy, head: Head, sender: str, act: Act, tag: str, floor: int
) -> Bid:
    """What is left may be LRT, which counts at its price."""
    earned, way, gas = _best(node, sender, act, tag)
    profit = earned * act.price // _PRICE_SCALE
    offer = _paid_by(policy, head, profit, gas, floor)
    least = gas * offer + policy.least_net_profit_wei
    request = act.ways[way].with_last(-(-least * _PRICE_SCALE // act.price))
    limit = gas * _GAS_MARGIN_PER_CENT // 100
    return Bid(act, way, request, limit, offer, policy.tip_wei_per_gas, least, profit)


def _offer(
    suite: Suite,
    policy: Policy,
    head: Head,
    act: Act,
    way: str,
    profit: int,
    gas: int,
    floor: int,
) -> Bid:
    offer = _paid_by(policy, head, profit, gas, floor)
    least = gas * offer + policy.least_net_profit_wei
    market, owner = act.target.split(":")
    request = liquidate(suite, market, owner, ROUTES[way], least)
    limit = gas * _GAS_MARGIN_PER_CENT // 100
    return Bid(act, way, request, limit, offer, policy.tip_wei_per_gas, least, profit)


def _order(
    node: Node, policy: Policy, head: Head, sender: str, act: Act, tag: str, floor: int
) -> Bid:
    """It brings its worth or nothing."""
    ((way, request),) = act.ways.items()
    try:
        gas = node.gas(request.body(sender), tag)
    except Refused as error:
        raise Skip(str(error)[:80]) from error
    offer = _paid_by(policy, head, act.worth, gas, floor)
    limit = gas * _GAS_MARGIN_PER_CENT // 100
    return Bid(act, way, request, limit, offer, policy.tip_wei_per_gas, act.worth, act.worth)


def _paid_by(policy: Policy, head: Head, profit: int, gas: int, floor: int) -> int:
    """Wei per gas: as much above the likely fee as the profit pays for. Raises `Skip`.

    What succeeds is then never a loss.
    """
    fee = max(floor, likely_fee(head, policy))
    if fee > policy.most_fee_wei_per_gas:
        raise Skip("gas too dear")
    spare = profit - policy.least_net_profit_wei
    if spare < gas * fee:
        raise Skip("profit below gas")
    generous = min(2 * head.base_fee + policy.tip_wei_per_gas, policy.most_fee_wei_per_gas)
    return min(max(fee, generous), spare // gas)


def _upkeep(
    node: Node, policy: Policy, head: Head, sender: str, act: Act, tag: str, floor: int
) -> Bid:
    fee = max(floor, likely_fee(head, policy))
    if fee > policy.most_upkeep_fee_wei_per_gas:
        raise Skip("gas too dear")
    ((way, request),) = act.ways.items()
    try:
        gas = node.gas(request.body(sender), tag)
    except Refused as error:
        raise Skip(str(error)[:80]) from error
    offer = min(2 * head.base_fee + policy.tip_wei_per_gas, policy.most_upkeep_fee_wei_per_gas)
    offer = max(fee, offer)
    limit = gas * _GAS_MARGIN_PER_CENT // 100
    return Bid(act, way, request, limit, offer, policy.tip_wei_per_gas, 0, 0)


def shown(offer: Bid) -> dict[str, object]:
    """As a line of the log has it."""
    return {
        "kind": offer.act.kind,
        "target": offer.act.target,
        "way": offer.way,
        "expected_wei": offer.expected,
        "least_wei": offer.least,
        "gas": offer.gas,
        "fee_wei": offer.fee,
    }
