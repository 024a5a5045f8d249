"""What the feeds say, and who pokes and rules the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

FEEDS = ("feed", "feed2")
DISCOUNTS = (0, 0, 0, WAD // 1_000, WAD // 100, WAD // 15, WAD // 9, -WAD // 50)


def answer(plan: Planner) -> Action:
    feed = plan.draw.choice(("", "", *FEEDS))
    return plan.say(plan.draw.choice(DISCOUNTS), feed)


def answer_at_an_edge(plan: Planner) -> Action:
    """A price just above, at or just below the one at which a position breaks."""
    edge = plan.edge(plan.borrower()) // WAD
    price = max(1, edge + plan.draw.choice((-1, 0, 1, edge // 1_000, -edge // 1_000)))
    return Action("world.answer", "feed_oracle", (plan.parts.oracle.feed.name, price))


def answer_at_a_bound(plan: Planner) -> Action:
    """The least that a feed can say, and the bounds of what is believed, to the unit."""
    terms = plan.parts.oracle.terms
    bounds = terms.min_answer // WAD, terms.max_answer // WAD
    price = plan.draw.choice((1, bounds[0], bounds[0] - 1, bounds[1], bounds[1] + 1))
    return Action("world.answer", "feed_oracle", (plan.parts.oracle.feed.name, price))


def poke(plan: Planner) -> Action:
    name = plan.draw.choice(("poke", "poke_price", "poke_liquidation_prices"))
    return Action(f"oracle.{name}", plan.who())


def checkpoint(plan: Planner) -> Action:
    name = plan.draw.choice(("propose", "propose", "promote"))
    return Action(f"oracle.{name}_checkpoint", plan.who())


def rule(plan: Planner) -> Action:
    draw, parts = plan.draw, plan.parts
    kinds = {
        "accept_supply": (parts.vault.supply - draw.randrange(2),),
        "propose_feed": (draw.choice(FEEDS),),
        "cancel_feed_proposal": (),
        "replace_feed": (),
        "roll_back_feed": (),
    }
    name = draw.choice(list(kinds))
    if parts.oracle.proposed and draw.random() < 0.4:
        name = "cancel_feed_proposal"
    rules = parts.rules["vault"]
    usual = plan.account(rules.guardian) if name == "roll_back_feed" else rules.owner
    return Action(f"oracle.{name}", usual if draw.random() < 0.7 else plan.who(), kinds[name])


WAYS = [
    (4, "answer", answer),
    (1, "answer_at_an_edge", answer_at_an_edge),
    (1, "answer_at_a_bound", answer_at_a_bound),
    (3, "poke", poke),
    (3, "checkpoint", checkpoint),
    (3, "rule", rule),
]
