"""The whole deployed protocol against the whole model: one seeded walk of all actions.

After every step the result or the reason of the refusal must be the model's, and so must everything
that all contracts say of themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

import pytest

from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain
from relever.model.deployed import PEOPLE, Deployed
from relever.model.market import MARKET
from relever.model.parts import ADAPTERS, EIGENLAYER, SYMBIOTIC
from relever.model.paths import REDEEM, SWAP, sane_limit
from relever.model.protocol import Action, Protocol
from relever.model.router import Bounds
from relever.protocol import deploy

WAD = 10**18
HOUR, DAY = 3_600, 86_400
EACH = 4_000 * WAD
NO_BOUNDS = Bounds(0, 2**256 - 1, 0, 2**256 - 1)
SEED, STEPS = 1, 420
TIMES = (1, 12, 600, 1_200, 1_200, HOUR, HOUR, 6 * HOUR, DAY, 3 * DAY)
BORROWERS = ("borrower", "looper", "trader")

# The walk says nothing about these unless it comes by.
MUST_REACH = (
    "liquidator.liquidate",
    "liquidator.liquidate: swap: not enough liquidity",
    "market.liquidate",
    "market.adjust",
    "market.redeem",
    "oracle.promote_checkpoint",
    "oracle.replace_feed",
    "oracle.roll_back_feed",
    "queue.claim",
    "queue.finalize",
    "router.close",
    "router.open",
    "vault.finish_exit",
    "vault.redeem",
    "world.request_slash",
    "world.slash",
    "world.trade",
    "zap.deposit",
)


class Walk:
    """What to do next, chosen by the model's state so that most of it succeeds."""

    def __init__(self, model: Protocol, seed: int) -> None:
        self.model, self.parts, self.draw = model, model.parts, Random(seed)
        self.ways: list[tuple[int, Callable[[], Action]]] = [
            (6, self.enter),
            (4, self.leave),
            (3, self.request),
            (5, self.work_queue),
            (5, self.stake),
            (4, self.unstake),
            (5, self.finish),
            (4, self.lend),
            (3, self.unlend),
            (8, self.adjust),
            (6, self.open),
            (4, self.close),
            (6, self.liquidate),
            (5, self.look),
            (5, self.oracle_admin),
            (4, self.settings),
            (4, self.tokens),
            (5, self.slash),
            (4, self.beside),
            (6, self.market_moves),
            (3, self.trade),
            (2, self.pocket),
            (2, self.rare),
            (3, self.storm),
            (1, self.replacement),
        ]
        # What is done next, whatever chance says: an action, or seconds that pass.
        self.plan: list[Callable[[], Action] | int] = []

    def opening(self) -> list[Action]:
        """So that there is something to act on: loans, stake, positions, someone in line."""
        bounds, router = NO_BOUNDS, ("router", True)
        opened = [
            (MARKET, "wsteth", 30 * WAD, 110 * WAD, bounds),
            (MARKET, "weth", 20 * WAD, 150 * WAD, bounds),
            (MARKET, "steth", 10 * WAD, 60 * WAD, bounds),
        ]
        return [
            Action("market.deposit", "lender", (1_500 * WAD, "lender")),
            *(Action("vault.deposit", who, (60 * WAD, who)) for who in PEOPLE),
            *(Action("market.set_authorization", who, router) for who in BORROWERS),
            *(
                Action("router.open", who, what)
                for who, what in zip(BORROWERS, opened, strict=True)
            ),
            Action("world.stake_beside", "stranger", (EIGENLAYER, 30 * WAD + 1)),
            Action("world.stake_beside", "stranger", (SYMBIOTIC, 40 * WAD + 3)),
            Action("vault.allocate", "allocator", (EIGENLAYER, 300 * WAD)),
            Action("vault.allocate", "allocator", (SYMBIOTIC, 150 * WAD)),
            Action("queue.requestRedeem", "depositor", (5 * WAD, "depositor", "depositor")),
        ]

    def next(self) -> Action:
        parts, draw = self.parts, self.draw
        if self.plan:
            planned = self.plan.pop(0)
            return planned() if callable(planned) else self.wait(planned)
        # What stops everything else does not last.
        for name, adapter in parts.vault.adapters.items():
            if not adapter.answers and draw.random() < 0.4:
                return Action("world.restore", "stranger", (name,))
        if not parts.listed and draw.random() < 0.4:
            return Action("factory.list_market", "owner", (MARKET,))
        if parts.oracle.reading.fault and draw.random() < 0.5:
            return self.say(0)
        weights = [weight for weight, _ in self.ways]
        (way,) = self.draw.choices([way for _, way in self.ways], weights)
        return way()

    def wait(self, seconds: int) -> Action:
        """Time passes, and somebody looks."""
        return Action("world.pass", "keeper", (seconds,))

    def storm(self) -> Action:
        """Somebody borrows all he can; then stETH loses, or the market does for hours."""
        owner, draw = self.draw.choice(BORROWERS), self.draw
        answer = partial(self.say, draw.choice([0, 0, WAD // 50]))
        if draw.random() < 0.5:
            loss = draw.choice([40, 25, 12])
            self.plan = [
                lambda: Action("steth.slash_validators", "lido_oracle", (self.pooled // loss,)),
                answer,
                *[self.liquidate] * draw.randrange(2, 6),
            ]
        else:
            depeg = partial(self.say, draw.choice([WAD // 12, WAD // 8]))
            poke = partial(Action, "oracle.poke", "keeper")
            hours = draw.randrange(5, 9)
            self.plan = [depeg, poke, *[HOUR, poke, self.liquidate] * hours, self.liquidate, answer]
        self.plan.insert(
            0, lambda: Action("market.borrow", owner, (self.room(owner) * 99 // 100, owner, owner))
        )
        return self.say(0)

    def replacement(self) -> Action:
        """A feed is replaced after its week, and taken back or not; a checkpoint moves on."""
        other = "feed2" if self.parts.oracle.feed.name == "feed" else "feed"
        self.plan = [
            6 * DAY + HOUR,
            partial(Action, "oracle.propose_checkpoint", "keeper"),
            DAY,
            partial(self.say, 0),
            partial(self.say, 0, other),
            partial(Action, "oracle.promote_checkpoint", "keeper"),
            partial(Action, "oracle.replace_feed", "keeper"),
            partial(Action, "oracle.poke_price", "keeper"),
        ]
        if self.draw.random() < 0.5:
            self.plan.append(partial(Action, "oracle.roll_back_feed", "guardian"))
        return Action("oracle.propose_feed", "owner", (other,))

    def say(self, discount: int, feed: str = "") -> Action:
        """A feed, mostly the one in use, answers the fundamental price less a discount."""
        oracle = self.parts.oracle
        price = oracle.fundamental * (WAD - discount) // 10**36
        return Action("world.answer", "feed_oracle", (feed or oracle.feed.name, price))

    @property
    def pooled(self) -> int:
        return self.parts.steth.pooled

    # Chance

    def who(self) -> str:
        return self.draw.choice(PEOPLE)

    def mostly(self, usual: Any, odd: Any) -> Any:
        return odd if self.draw.random() < 0.08 else usual

    def part(self, whole: int) -> int:
        """A part of it; or all, a unit more, little or nothing."""
        share = self.draw.choice([100, 90, 75, 50, 50, 33, 25, 10, 1])
        odd = self.draw.choice([whole, whole + 1, 1, 0])
        return int(self.mostly(whole * share // 100, odd))

    def amount(self, most: int) -> int:
        return self.part(self.draw.randint(1, most))

    # Vault and queue

    def enter(self) -> Action:
        who, kind = self.who(), self.draw.randrange(4)
        receiver = self.mostly(who, self.draw.choice(["nobody", "vault", self.who()]))
        if kind == 0:
            return Action("vault.mint", who, (self.amount(60 * WAD), receiver))
        if kind == 1:
            return Action("vault.deposit", who, (self.amount(60 * WAD), receiver))
        token = self.draw.choice(
            ["nobody", "weth", "steth", "wsteth", self.mostly("steth", "vault")]
        )
        amount = self.amount(60 * WAD)
        receiver = self.mostly(who, self.draw.choice(["nobody", "zap", self.who()]))
        ether = amount if token == "nobody" else 0
        ether = self.mostly(ether, 1)
        arguments = (token, amount, self.mostly(0, amount), receiver)
        return Action("zap.deposit", who, arguments, ether)

    def leave(self) -> Action:
        vault, caller, owner = self.parts.vault, self.who(), self.who()
        caller = self.mostly(owner, caller)
        if self.draw.random() < 0.5:
            amount = self.part(vault.max_redeem(owner) or vault.shares[owner])
            return Action("vault.redeem", caller, (amount, self.who(), owner))
        amount = self.part(vault.max_withdraw(owner) or vault.shares[owner])
        return Action("vault.withdraw", caller, (amount, self.who(), owner))

    def request(self) -> Action:
        owner = self.who()
        caller = self.mostly(owner, self.who())
        controller = self.mostly(owner, self.draw.choice(["nobody", self.who()]))
        shares = self.part(self.parts.vault.shares[owner])
        return Action("queue.requestRedeem", caller, (shares, controller, owner))

    def work_queue(self) -> Action:
        queue, kind = self.parts.queue, self.draw.randrange(7)
        numbers = queue.payable if kind == 0 else queue.waiting
        number = self.draw.choice(numbers or [*queue.requests, 1])
        found = queue.requests.get(number)
        controller = found.controller if found else "stranger"
        caller = self.mostly(controller, self.who())
        if kind == 0:
            return Action("queue.claim", caller, (number, self.who()))
        if kind == 1:
            return Action("queue.cancel", caller, (number,))
        if kind == 2:
            amount = self.amount(60 * WAD)
            return Action("queue.pull_back", caller, (self.draw.choice(ADAPTERS), amount))
        if kind == 3:
            return Action("queue.setOperator", self.who(), (self.who(), self.draw.random() < 0.7))
        return Action("queue.finalize", caller, (self.draw.randrange(6),))

    def stake(self) -> Action:
        allocator = self.mostly("allocator", self.who())
        vault = self.parts.vault
        free = max(0, vault.idle - vault.needed(vault.price))
        which = self.mostly(self.draw.choice(ADAPTERS), "stranger")
        return Action("vault.allocate", allocator, (which, self.part(free // 2)))

    def unstake(self) -> Action:
        allocator = self.mostly("allocator", self.who())
        which = self.draw.choice(ADAPTERS)
        staked = self.parts.vault.adapters[which].position.staked
        which = self.mostly(which, "stranger")
        return Action("vault.deallocate", allocator, (which, self.part(staked // 2)))

    def finish(self) -> Action:
        which = self.draw.choice(ADAPTERS)
        exits = (
            list(self.parts.eigen.staker.withdrawals)
            if which == EIGENLAYER
            else list(self.parts.symbio.open_exits)
        )
        number = self.mostly(self.draw.choice(exits or [0]), 77)
        return Action("vault.finish_exit", self.who(), (which, number))

    # Market

    def lend(self) -> Action:
        who = self.mostly("lender", self.who())
        receiver = self.mostly(who, self.draw.choice(["nobody", MARKET, self.who()]))
        if self.draw.random() < 0.3:
            shares = self.amount(400 * WAD) * 10**6
            return Action("market.mint", who, (shares, receiver))
        return Action("market.deposit", who, (self.amount(900 * WAD), receiver))

    def unlend(self) -> Action:
        owner = self.mostly("lender", self.who())
        caller, market = self.mostly(owner, self.who()), self.parts.market
        if self.draw.random() < 0.5:
            shares = self.part(market.max_redeem(owner) // 2)
            return Action("market.redeem", caller, (shares, self.who(), owner))
        assets = self.part(market.max_withdraw(owner) // 2)
        return Action("market.withdraw", caller, (assets, self.who(), owner))

    def room(self, owner: str, more: int = 0) -> int:
        """What may still be borrowed on a position and so much more collateral."""
        market, oracle = self.parts.market, self.parts.oracle
        first = oracle.liquidation_prices[0]
        worth = (market.positions[owner].collateral + more) * first // 10**36
        limit = min(worth * market.terms.max_ltv // WAD, worth)
        return max(0, limit - market.debt(owner))

    def adjust(self) -> Action:
        owner = self.draw.choice(BORROWERS)
        caller, kind = self.mostly(owner, self.who()), self.draw.randrange(7)
        market = self.parts.market
        held, debt = market.positions[owner].collateral, market.debt(owner)
        mine = self.parts.vault.shares[caller]
        if kind == 0:
            return Action("market.supply_collateral", caller, (self.part(mine), owner))
        if kind == 1:
            taken = self.part(held // 5)
            return Action("market.withdraw_collateral", caller, (taken, owner, caller))
        if kind == 2:
            return Action("market.borrow", caller, (self.part(self.room(owner)), owner, caller))
        if kind == 3:
            return Action("market.repay", caller, (self.part(debt), owner))
        if kind == 4:
            deltas = (-self.part(held // 3), -self.part(debt))
            return Action("market.adjust", caller, (owner, *deltas, caller))
        more = self.part(mine)
        borrowed = self.room(owner, more) * self.draw.choice([50, 90, 99, 100]) // 100
        receiver = self.mostly(caller, self.draw.choice([MARKET, "nobody", self.who()]))
        return Action("market.adjust", caller, (owner, more, borrowed, receiver))

    def open(self) -> Action:
        owner = self.draw.choice(BORROWERS)
        if (owner, "router") not in self.parts.market.managers and self.draw.random() < 0.9:
            return Action("market.set_authorization", owner, ("router", True))
        token = self.draw.choice(["nobody", "weth", "steth", "wsteth", "vault"])
        token = self.mostly(token, "lender")
        amount = self.amount(20 * WAD)
        if token == "vault":
            amount = min(amount, self.parts.vault.shares[owner])
        borrowed = self.part(
            min(amount * self.draw.choice([1, 4, 8]), self.parts.market.books.cash)
        )
        bounds = self.mostly(NO_BOUNDS, Bounds(amount, 3 * amount, 0, 2**64))
        ether = self.mostly(amount if token == "nobody" else 0, 5)
        market = self.mostly(MARKET, "stranger")
        return Action("router.open", owner, (market, token, amount, borrowed, bounds), ether)

    def borrower(self) -> str:
        """Mostly one whose position is worst, or who has one."""
        positions = self.parts.market.positions
        able = [who for who in BORROWERS if who in positions and positions[who].collateral]
        if able and self.draw.random() < 0.5:
            return min(able, key=lambda who: self.room(who))
        return self.draw.choice(self.mostly(able, BORROWERS) or BORROWERS)

    def close(self) -> Action:
        owner, market = self.borrower(), self.parts.market
        held, debt = market.positions[owner].collateral, market.debt(owner)
        share = self.draw.choice([1, 5, 20, 20, 100])
        route = self.draw.choice([SWAP, SWAP, REDEEM])
        bounds = self.mostly(NO_BOUNDS, Bounds(held, debt, held // 9, self.parts.clock.time))
        arguments = (MARKET, held * share // 100, debt * share // 100, route, bounds)
        return Action("router.close", owner, arguments)

    def liquidate(self) -> Action:
        owner, market = self.borrower(), self.parts.market
        debt, route = market.debt(owner), self.draw.choice([SWAP, REDEEM])
        repay = self.mostly(debt, self.part(debt))
        if self.draw.random() < 0.5:
            seized = self.mostly(0, debt)
            return Action("market.liquidate", "liquidator", (owner, repay, seized))
        profit = self.mostly(0, debt)
        arguments = (self.mostly(MARKET, "stranger"), owner, repay, route, profit)
        return Action("liquidator.liquidate", "liquidator", arguments)

    # Everyone, owners and guardians

    def look(self) -> Action:
        pokes = ["poke", "poke_price", "poke_liquidation_prices"]
        names = ["vault.sync", "market.accrue", *(f"oracle.{poke}" for poke in pokes)]
        return Action(self.draw.choice(names), self.who())

    def someone(self) -> str:
        return self.draw.choice(["owner", "owner", "guardian", "stranger"])

    def oracle_admin(self) -> Action:
        feeds = {
            "oracle.propose_checkpoint": (),
            "oracle.promote_checkpoint": (),
            "oracle.accept_supply": (self.parts.vault.supply - self.draw.randrange(2),),
            "oracle.propose_feed": (self.draw.choice(["feed", "feed2"]),),
            "oracle.cancel_feed_proposal": (),
            "oracle.replace_feed": (),
            "oracle.roll_back_feed": (),
        }
        name = self.draw.choice(list(feeds))
        return Action(name, self.someone(), feeds[name])

    def settings(self) -> Action:
        parts, draw, who = self.parts, self.draw, self.someone()
        caps = parts.market.caps
        which = self.draw.choice(ADAPTERS)
        adapter = parts.vault.adapters[which]
        fee = draw.choice([caps.fee, WAD // 5, WAD // 3, 1])
        lower = draw.choice([100, 99, 101])
        kinds: list[tuple[str, tuple[Any, ...]]] = [
            ("market.set_caps", ((caps.supply * lower // 100, caps.borrow, fee),)),
            ("market.request_fees", ()),
            ("market.collect_fees", (draw.choice(["treasury", MARKET]),)),
            ("vault.set_deposit_cap", (parts.vault.deposit_cap * lower // 100,)),
            ("vault.set_adapter_caps", (which, adapter.cap * lower // 100, adapter.share_cap)),
            ("vault.set_exit_fee", (draw.choice([0, 20 * WAD, 70 * WAD]), WAD // 200)),
            ("vault.set_exit_fee", (WAD, WAD // draw.choice([50, 100]))),
            ("vault.set_performance_fee", (WAD // draw.choice([4, 5, 10]), "treasury")),
            ("vault.pause", (draw.choice([0, 1, HOUR, HOUR, 4 * DAY]),)),
            ("factory.delist_market", (MARKET,)),
            ("factory.list_market", (draw.choice([MARKET, MARKET, "stranger"]),)),
            ("factory.list_market", (MARKET,)),
        ]
        return Action(*(lambda kind: (kind[0], who, kind[1]))(draw.choice(kinds)))

    # Tokens and the world

    def tokens(self) -> Action:
        who, other, draw = self.who(), self.who(), self.draw
        token = draw.choice(["weth", "wsteth", "vault", MARKET])
        held = {
            "weth": self.parts.weth.balances[who],
            "wsteth": self.parts.wsteth.balances[who],
            "vault": self.parts.vault.shares[who],
            MARKET: self.parts.market.shares[who],
        }[token]
        amount = self.amount(max(1, min(held, 30 * WAD)))
        to = draw.choice([other, other, other, "vault", "router", "strategy", "nobody"])
        kinds = [
            Action(f"{token}.transfer", who, (to, amount)),
            Action(f"{token}.approve", who, (other, amount)),
            Action(f"{token}.transferFrom", other, (who, other, amount)),
            Action("weth.deposit", who, (), amount),
            Action("weth.withdraw", who, (amount,)),
            Action("wsteth.wrap", who, (amount,)),
            Action("wsteth.unwrap", who, (amount,)),
            Action("steth.submit", who, ("nobody",), amount),
            Action("steth.transfer", who, (to, amount)),
            Action("vault.pay_rewards", who, (amount,)),
        ]
        return draw.choice(kinds)

    def slash(self) -> Action:
        draw, symbiotic, now = self.draw, self.parts.symbiotic, self.parts.clock.time
        kind = draw.randrange(4)
        if kind == 0:
            return Action("world.slash", "avs", (draw.choice([1, 10**15, WAD // 50, WAD // 12]),))
        if kind == 1 and self.parts.eigenlayer.strategy.burnable:
            return Action("world.burn", "stranger")
        young = self.parts.symbio.pending
        pending = [i for i, request in enumerate(symbiotic.requests) if request in young]
        if kind == 2 and pending:
            name, who = draw.choice([("execute_slash", "avs"), ("veto_slash", "resolver")])
            return Action(f"world.{name}", who, (draw.choice(pending),))
        amount = self.part(symbiotic.active.amount // 10)
        captured = now - draw.choice([0, 1, 1, 1, 600, HOUR])
        return Action("world.request_slash", "avs", (amount, captured))

    def beside(self) -> Action:
        kind, which = self.draw.randrange(4), self.draw.choice(ADAPTERS)
        amount = self.amount(20 * WAD)
        if kind == 0:
            return Action("world.give_stake", "stranger", (amount,))
        if kind == 1:
            stake = self.parts.neighbour.deposit_shares
            if which == SYMBIOTIC:
                stake = self.parts.symbiotic.active.worth("stranger")
            return Action("world.leave_beside", "stranger", (which, self.part(stake)))
        return Action("world.stake_beside", "stranger", (which, amount))

    def market_moves(self) -> Action:
        draw = self.draw
        kind = draw.randrange(5)
        if kind == 0:
            amount = self.parts.steth.pooled // draw.choice([10**4, 2_000, 500])
            return Action(
                "steth.accrue_rewards", self.mostly("lido_oracle", "stranger"), (), amount
            )
        if kind == 1 and draw.random() < 0.3:
            amount = self.parts.steth.pooled // draw.choice([500, 100, 40])
            return Action("steth.slash_validators", "lido_oracle", (amount,))
        discount = draw.choice([0, 0, 0, WAD // 1_000, WAD // 100, WAD // 15, WAD // 9, -WAD // 50])
        if draw.random() < 0.05:
            return Action("world.answer", "feed_oracle", (self.parts.oracle.feed.name, 1))
        return self.say(discount, draw.choice(["", "", "feed", "feed2"]))

    def trade(self) -> Action:
        name = self.draw.choice(["lrt_pool", "lst_pool"])
        pool, who = self.parts.pools[name], self.who()
        token = self.draw.choice([pool.token0, pool.token1])
        held = self.parts.token(token).balances[who]
        limit = sane_limit(pool, pool.token0 == token)
        amount = max(1, self.part(min(held, 40 * WAD)))
        return Action("world.trade", who, (name, token, amount, limit))

    def pocket(self) -> Action:
        pocket = self.parts.vault.pocket
        which = self.draw.choice(ADAPTERS)
        able = [(n, w) for n, a in pocket.adapters.items() for w in a.claims if a.claimable(w)]
        if able:
            return Action("side_pocket.claim", self.who(), self.draw.choice(able))
        found = pocket.adapters.get(which)
        kinds = [
            Action("side_pocket.hand_over", self.who(), (self.who(),)),
            Action("side_pocket.claim", self.who(), (which, self.who())),
            Action(
                "side_pocket.lower_expectation",
                self.someone(),
                (which, self.part(found.expected) if found else 1),
            ),
        ]
        return self.draw.choice(kinds)

    def rare(self) -> Action:
        draw, which = self.draw, self.draw.choice(ADAPTERS)
        answers = self.parts.vault.adapters[which].answers
        if not answers:
            return Action("world.restore", "stranger", (which,))
        if draw.random() < 0.5:
            return Action("world.silence", "stranger", (which,))
        if draw.random() < 0.15:
            return Action("vault.quarantine", draw.choice(["owner", "guardian"]), (which,))
        if draw.random() < 0.1:
            return Action("world.undelegate", "operator")
        return Action("vault.quarantine", draw.choice(["guardian", "stranger"]), (which,))


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with Anvil.start() as node:
        deployment = deploy(build_world(deploy_core(Chain.connect(node.ipc))))
        second = deployment.world.feed("rLRT / WETH, another")
        found = Deployed(deployment, second)
        found.prepare(EACH)
        yield found
        deployment.chain.close()


def test_protocol_model__a_walk_of_all_actions__is_what_the_contracts_do(
    deployed: Deployed,
) -> None:
    reached = play(deployed, SEED, STEPS)
    short = [what for what in MUST_REACH if not reached[what]]
    assert not short, f"never reached: {short} of {dict(sorted(reached.items()))}"


def play(deployed: Deployed, seed: int, steps: int) -> Counter[str]:
    """Walk, and compare after each step; returns what came of the actions, and how often."""
    model = deployed.model()
    walk, reached = Walk(model, seed), Counter[str]()
    compare(deployed, model, "to begin with")
    opening = walk.opening()
    for number in range(steps):
        if number < len(opening):
            action = opening[number]
        else:
            action = walk.next()
            seconds, blocks = 0, walk.draw.choice([1, 1, 1, 20, 60])
            if action.name == "world.pass":
                (seconds,) = action.arguments
                action = Action("oracle.poke", "keeper")
            elif not walk.plan and walk.draw.random() < 0.25:
                seconds = walk.draw.choice(TIMES)
            if seconds:
                model.advance(seconds, blocks)
                deployed.advance(seconds, blocks)
        what = f"step {number} at {model.parts.clock.time}: {action}"
        expected, found = model.step(action), deployed.send(action)
        same = found.refused == expected.refused
        if expected.result is not None:
            same = found == expected
        assert same, f"{what}: found {found}, expected {expected}"
        compare(deployed, model, what)
        reached[action.name] += expected.refused is None
        if expected.refused is not None:
            reached[f"{action.name}: {expected.refused}"] += 1
    return reached


def compare(deployed: Deployed, model: Protocol, what: str) -> None:
    """Everything that can be read; says what differs: found, and expected."""
    assert (deployed.chain.block_number, deployed.chain.timestamp) == (
        model.parts.clock.block,
        model.parts.clock.time,
    ), what
    state = model.state()
    found = deployed.read(model.views(), state)
    wrong = {name: (found[name], value) for name, value in state.items() if found[name] != value}
    assert not wrong, f"{what}: found and expected {wrong}"
