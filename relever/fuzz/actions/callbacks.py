"""A contract that market and leveraged tokens call back, and that calls the suite in the middle.

Into them it cannot: they are locked. Into everything else it can, and must do no harm by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relever.fuzz.actions import backstop, leverage, leveraged, oracle, queue, vault
from relever.model.callback import SCRIPTED, Callback
from relever.model.market import MARKET
from relever.model.parts import LEVERAGED, VAULT
from relever.model.protocol import Action
from relever.model.rounding import WAD
from relever.model.router import Grants

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

# Every function of the market, which is locked: with arguments that would do at another time.
LOCKED: dict[str, tuple[Any, ...]] = {
    "market.deposit": (WAD, SCRIPTED),
    "market.mint": (WAD, SCRIPTED),
    "market.withdraw": (1, SCRIPTED, SCRIPTED),
    "market.redeem": (1, SCRIPTED, SCRIPTED),
    "market.transfer": ("stranger", 0),
    "market.transferFrom": (SCRIPTED, "stranger", 0),
    "market.approve": ("stranger", 1),
    "market.adjust": (SCRIPTED, 0, 0, SCRIPTED),
    "market.supply_collateral": (1, SCRIPTED),
    "market.withdraw_collateral": (0, SCRIPTED, SCRIPTED),
    "market.borrow": (0, SCRIPTED, SCRIPTED),
    "market.repay": (1, "borrower"),
    "market.liquidate": ("borrower", WAD, 0),
    "market.flashLoan": (SCRIPTED, "weth", 1, Callback()),
    "market.set_authorization": ("stranger", True),
    "market.renounce_authorization": ("borrower",),
    "market.set_authorization_by_signature": ("lender", "stranger", True, 0, 2**64, "nobody"),
    "market.accrue": (),
    "market.set_caps": ((0, 0, 0),),
    "market.request_fees": (),
    "market.collect_fees": (SCRIPTED,),
}
NAMES = list(LOCKED)
# And of a leveraged token, which is locked while it has its caller called back.
LOCKED_TOKEN: dict[str, tuple[Any, ...]] = {
    "mint": (WAD, 2**255, 0, SCRIPTED),
    "redeem": (1, 2**255, 0, SCRIPTED),
    "rebalance": (True, WAD, 0),
    "start_auction": (),
    "checkpoint": (),
    "accrue_fee": (),
    "transfer": ("stranger", 0),
}
# Their arguments are more than the contract takes of a call.
TOO_LONG = ("router.close_to_queue", "liquidator.liquidate_many")
# And elsewhere.
ELSEWHERE = (
    *(vault.deposit, vault.leave, vault.sync, vault.finish, vault.reward, vault.allocate),
    *(queue.request, queue.finalize, queue.cancel, queue.operator, queue.pocket),
    *(oracle.poke, oracle.checkpoint, leverage.liquidate, leverage.close, leverage.sell_rewards),
    *(backstop.deposit, backstop.leave, backstop.request_exit, backstop.serve, backstop.harvest),
    *(leveraged.mint, leveraged.redeem, leveraged.start_auction, leveraged.checkpoint),
)


def _callback(plan: Planner, answer: int, sent: tuple[Action, ...] = ()) -> Callback:
    draw = plan.draw
    others = tuple(_step(plan) for _ in range(draw.choice((0, 1, 2, 2)) - len(sent)))
    steps = draw.choice((sent + others, others + sent))
    return Callback(plan.mostly(answer, answer // 2), steps, draw.random() < 0.9)


def _sent(plan: Planner, token: str, amount: int) -> tuple[Action, ...]:
    """At times it sends the market so much in the callback."""
    if amount <= 0 or plan.draw.random() < 0.5:
        return ()
    return (Action(f"{token}.transfer", SCRIPTED, (MARKET, amount)),)


def _step(plan: Planner) -> Action:
    if plan.draw.random() < 0.25:
        action = plan.draw.choice(ELSEWHERE)(plan)
        if action.name not in TOO_LONG:
            return _as_scripted(action)
    name = plan.turn("locked", NAMES)
    return Action(name, SCRIPTED, LOCKED[name])


def _as_scripted(action: Action) -> Action:
    """The same done by the contract, with what is its own; it signs nothing.

    What can be left away is: two calls must fit into a callback's data.
    """
    asked = action.arguments[:5] if action.name == "router.open" else action.arguments
    arguments = tuple(
        SCRIPTED if said == action.caller else said
        for said in asked
        if not isinstance(said, Grants)
    )
    return Action(action.name, SCRIPTED, arguments)


def leveraged_turn(plan: Planner) -> Action:
    """It mints, redeems or rebalances a token, which has it called back in the middle."""
    draw = plan.draw
    if draw.random() < 0.3:
        name, what = draw.choice(LEVERAGED), "redeem"
        given: tuple[Any, ...] = (plan.part(plan.held(name, SCRIPTED)), 2**255, 0, SCRIPTED)
    else:
        action = draw.choice((leveraged.mint, leveraged.rebalance))(plan)
        name, _, what = action.name.partition(".")
        given = (*action.arguments[:3], *((SCRIPTED,) if what == "mint" else ()))
    steps = tuple(_short_step(plan, name) for _ in range(draw.choice((0, 1, 2, 2))))
    caller = plan.mostly(SCRIPTED, plan.who())
    return Action(f"{name}.{what}", caller, (*given, Callback(steps=steps)))


def _short_step(plan: Planner, name: str) -> Action:
    """One whose call fits into what a token hands on twice."""
    elsewhere = ("vault.sync", "market.accrue")
    if plan.draw.random() < 0.3:
        return Action(plan.draw.choice(elsewhere), SCRIPTED)
    # The first is refused for nothing else.
    what = plan.turn(f"locked by {name}", ["accrue_fee", *LOCKED_TOKEN])
    return Action(f"{name}.{what}", SCRIPTED, LOCKED_TOKEN[what])


def adjust(plan: Planner) -> Action:
    """It gives collateral and borrows on it, or takes it back and repays."""
    draw = plan.draw
    owner = plan.mostly(SCRIPTED, plan.borrower())
    caller = plan.mostly(SCRIPTED, plan.who())
    held = plan.position(owner).collateral
    if held and draw.random() < 0.4:
        owed = plan.debt(owner)
        deltas = -plan.part(held), -2 * owed
        answer, sent = 0, _sent(plan, "weth", plan.mostly(plan.part(owed), owed + 1))
    else:
        more = plan.part(min(plan.held("vault", SCRIPTED), 20 * WAD))
        answer = more + draw.choice((0, 0, WAD, -1))
        room = plan.room(owner, more) * draw.choice((0, 50, 90, 99)) // 100
        deltas = more, min(room, plan.parts.market.books.cash)
        sent = _sent(plan, VAULT, plan.mostly(plan.part(more), more))
        answer -= sum(step.arguments[1] for step in sent)
    callback = _callback(plan, max(0, answer), sent)
    return Action("market.adjust", caller, (owner, *deltas, caller, callback))


def liquidate(plan: Planner) -> Action:
    """Who can be; where nobody can, mostly it borrows instead."""
    broken = plan.broken()
    if broken is None and plan.draw.random() < 0.7:
        return adjust(plan)
    owner = broken or plan.borrower()
    repay = plan.mostly(2 * plan.debt(owner), plan.part(plan.debt(owner)))
    caller = plan.mostly(SCRIPTED, plan.who())
    callback = _callback(plan, 0, _sent(plan, "weth", plan.part(plan.debt(owner))))
    return Action("market.liquidate", caller, (owner, repay, 0, callback))


def flash_loan(plan: Planner) -> Action:
    """Of all that the market holds, at most, to the contract or to who cannot answer."""
    most = plan.held("weth", MARKET)
    amount = plan.mostly(plan.part(most), most + 1)
    receiver = plan.mostly(SCRIPTED, plan.draw.choice((plan.who(), "nobody")))
    token = plan.mostly("weth", "wsteth")
    arguments = (receiver, token, amount, _callback(plan, 0))
    return Action("market.flashLoan", plan.who(), arguments)


WAYS = [
    (3, "adjust", adjust),
    (3, "liquidate", liquidate),
    (3, "flash_loan", flash_loan),
    (5, "leveraged_turn", leveraged_turn),
]
