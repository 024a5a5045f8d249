"""A contract that the market calls back, and that calls the suite in the middle of it.

Into the market it cannot: that is locked. Into everything else it can, and must do no harm by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.fuzz.actions import leverage, oracle, queue, vault
from relever.fuzz.actions import market as at_market
from relever.model.callback import SCRIPTED, Callback
from relever.model.market import MARKET
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

# What it does in the middle: at the locked market, and elsewhere.
LOCKED = (
    *(at_market.lend, at_market.unlend, at_market.borrow, at_market.repay, at_market.collateral),
    *(at_market.adjust, at_market.liquidate, at_market.manager, at_market.accrue),
)
ELSEWHERE = (
    *(vault.deposit, vault.leave, vault.sync, vault.finish, vault.reward, vault.allocate),
    *(queue.request, queue.finalize, queue.cancel, queue.operator, queue.pocket),
    *(oracle.poke, oracle.checkpoint, leverage.liquidate, leverage.close, leverage.sell_rewards),
)


def _callback(plan: Planner, answer: int) -> Callback:
    draw = plan.draw
    chosen = [
        draw.choice(LOCKED if draw.random() < 0.4 else ELSEWHERE) for _ in range(draw.randrange(3))
    ]
    steps = tuple(_as_scripted(choose(plan)) for choose in chosen)
    return Callback(plan.mostly(answer, answer // 2), steps, plan.draw.random() < 0.9)


def _as_scripted(action: Action) -> Action:
    """The same done by the contract, with what is its own."""
    arguments = tuple(SCRIPTED if said == action.caller else said for said in action.arguments)
    return Action(action.name, SCRIPTED, arguments)


def adjust(plan: Planner) -> Action:
    """It gives collateral and borrows on it, or takes it back and repays."""
    draw = plan.draw
    owner = plan.mostly(SCRIPTED, plan.borrower())
    caller = plan.mostly(SCRIPTED, plan.who())
    held = plan.position(owner).collateral
    if held and draw.random() < 0.4:
        deltas = -plan.part(held), -2 * plan.debt(owner)
        answer = 0
    else:
        more = plan.part(min(plan.held("vault", SCRIPTED), 20 * WAD))
        answer = more + draw.choice((0, 0, WAD, -1))
        room = plan.room(owner, more) * draw.choice((0, 50, 90, 99)) // 100
        deltas = more, min(room, plan.parts.market.books.cash)
    callback = _callback(plan, max(0, answer))
    return Action("market.adjust", caller, (owner, *deltas, caller, callback))


def liquidate(plan: Planner) -> Action:
    owner = plan.borrower()
    repay = plan.mostly(2 * plan.debt(owner), plan.part(plan.debt(owner)))
    caller = plan.mostly(SCRIPTED, plan.who())
    return Action("market.liquidate", caller, (owner, repay, 0, _callback(plan, 0)))


def flash_loan(plan: Planner) -> Action:
    """Of all that the market holds, at most, to the contract or to who cannot answer."""
    most = plan.held("weth", MARKET)
    amount = plan.mostly(plan.part(most), most + 1)
    receiver = plan.mostly(SCRIPTED, plan.draw.choice((plan.who(), "nobody")))
    token = plan.mostly("weth", "wsteth")
    arguments = (receiver, token, amount, _callback(plan, 0))
    return Action("market.flashLoan", plan.who(), arguments)


WAYS = [(2, "adjust", adjust), (2, "liquidate", liquidate), (2, "flash_loan", flash_loan)]
