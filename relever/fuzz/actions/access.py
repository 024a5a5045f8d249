"""Every privileged function, called by who may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relever.model.market import MARKET
from relever.model.parts import (
    EIGENLAYER,
    LEVERAGED,
    LEVERAGED_ZAP,
    PEOPLE,
    POCKET,
    SYMBIOTIC,
    Parts,
)
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

CALLERS = (
    *("owner", "guardian", "allocator", "keeper", "operator", "avs", "resolver", "treasury"),
    *("feed_oracle", "lido_oracle", *PEOPLE),
)
TERMS = ("nobody", 0, WAD // 100, "nobody")
# With arguments that would do if only the caller might.
OF_RULERS: dict[str, tuple[Any, ...]] = {
    "vault.transfer_ownership": ("stranger",),
    "vault.accept_ownership": (),
    "vault.pause": (3_600,),
    "vault.set_deposit_cap": (1,),
    "vault.set_allocator": ("stranger",),
    "vault.set_guardian": ("stranger",),
    "vault.add_adapter": (EIGENLAYER, WAD, WAD),
    "vault.set_adapter_caps": (SYMBIOTIC, 1, 1),
    "vault.allocate": (EIGENLAYER, 1),
    "vault.deallocate": (SYMBIOTIC, 1),
    "vault.quarantine": (EIGENLAYER,),
    "vault.set_exits": ("queue", POCKET),
    "vault.set_exit_fee": (0, 0),
    "vault.set_performance_fee": (0, "stranger"),
    "side_pocket.lower_expectation": (EIGENLAYER, 0),
    "seller.transfer_ownership": ("stranger",),
    "seller.accept_ownership": (),
    "seller.set_terms": ("weth", TERMS),
    "seller.remove_token": ("weth",),
    "seller.set_guardian": ("stranger",),
    "oracle.accept_supply": (2**110,),
    "oracle.propose_feed": ("feed2",),
    "oracle.cancel_feed_proposal": (),
    "oracle.roll_back_feed": (),
    "factory.transfer_ownership": ("stranger",),
    "factory.accept_ownership": (),
    "factory.list_market": (MARKET,),
    "factory.delist_market": (MARKET,),
    "factory.set_guardian": ("stranger",),
    "market.set_caps": ((1, 1, 0),),
    "market.request_fees": (),
    "market.collect_fees": ("stranger",),
    "backstop.set_discount": (WAD // 100,),
    "backstop.pause": (3_600,),
}
# Only other contracts of the suite may call these, and only in the middle of something.
OF_CONTRACTS: dict[str, tuple[Any, ...]] = {
    "vault.join_queue": (1,),
    "vault.settle_queue": (1, 1, 1, 1),
    "vault.pass_claim": ("stranger", 1, 1),
    "vault.pull_back": (EIGENLAYER, 1),
    "side_pocket.open": (EIGENLAYER, WAD),
    "side_pocket.leave": ("stranger", 1, 1),
    "side_pocket.share_out": (EIGENLAYER, 1),
    "eigenlayer.stake": (1,),
    "eigenlayer.start_exit": (1,),
    "eigenlayer.finish_exit": (1,),
    "symbiotic.stake": (1,),
    "symbiotic.start_exit": (1,),
    "symbiotic.finish_exit": (1,),
    "swap.uniswapV3SwapCallback": (WAD, -WAD, b""),
    # Nothing has come in and nothing is asked for, which a router that answered would do.
    "router.on_adjust": ("stranger", 0, 0, bytes(160)),
    "liquidator.on_liquidate": ("stranger", WAD, WAD, b"\1" * 64),
    "liquidator.try_sale": (WAD, 1, "stranger"),
    "orders.on_adjust": ("stranger", -WAD, 0, bytes(32)),
    "orders.try_sale": (WAD, 2, "stranger"),
    "backstop.buy": (WAD,),
    **{f"{name}.on_adjust": ("stranger", WAD, 0, bytes(64)) for name in LEVERAGED},
    f"{LEVERAGED_ZAP}.on_leveraged": (WAD, WAD, bytes(64)),
    "rebalancer.on_leveraged": (-WAD, -WAD, bytes(64)),
}
PRIVILEGED = list(OF_RULERS) + list(OF_CONTRACTS)


def allowed(parts: Parts) -> set[str]:
    """Who rules anything now."""
    rulers = {parts.allocator}
    for rule in parts.rules.values():
        rulers |= {rule.owner, rule.guardian, rule.pending}
    return rulers


def intrude(plan: Planner) -> Action:
    """Mostly a stranger, or one whose right it is elsewhere."""
    name = plan.turn("privileged", PRIVILEGED)
    if name in OF_CONTRACTS:
        return Action(name, plan.draw.choice(CALLERS), OF_CONTRACTS[name])
    rulers = allowed(plan.parts)
    caller = plan.draw.choice([who for who in CALLERS if who not in rulers])
    return Action(name, caller, OF_RULERS[name])


def of_another(plan: Planner) -> Action:
    """Of the rulers, those whose right a function is not."""
    parts, draw = plan.parts, plan.draw
    contract = draw.choice(("vault", "seller", "factory"))
    rule = parts.rules[contract]
    names = [name for name in OF_RULERS if name.startswith(contract)]
    ranks = [parts.allocator, *(other.guardian for other in parts.rules.values())]
    caller = plan.account(draw.choice(ranks))
    names = [name for name in names if not _may(name, caller, rule.owner, rule.guardian, parts)]
    if not names:
        return intrude(plan)
    name = draw.choice(names)
    return Action(name, caller, OF_RULERS[name])


def _may(name: str, caller: str, owner: str, guardian: str, parts: Parts) -> bool:
    """Whether a caller of rank has some right to a function, be it only to lower."""
    if caller == owner or "accept" in name:
        return True
    if name in ("vault.allocate", "vault.deallocate"):
        return caller == parts.allocator
    shared = ("pause", "cap", "quarantine", "remove", "delist")
    return caller == guardian and any(word in name for word in shared)


WAYS = [(14, "intrude", intrude), (2, "of_another", of_another)]
