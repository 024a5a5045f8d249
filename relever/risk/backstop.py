"""What a backstop pool goes through: it buys what nobody else does, waits, is paid, or loses.

EigenLayer's delay is that of the local chain in blocks, and that of mainnet in seconds: nothing can
be finished earlier than the protocol lets it, and a gain is waited for as long as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from relever.chain import Revert
from relever.protocol import UNLIMITED, WAD, Deployment

DAY = 86_400
# What who deposits, in this order.
DEPOSITS = {"depositor": 60 * WAD, "lender": 30 * WAD, "trader": 10 * WAD}
# Lent out and restaked before; the looper's own wstETH and loan.
LENT, RESTAKED, EQUITY, LOAN = 1_000 * WAD, 500 * WAD, 3 * WAD, 30 * WAD
# Of the stake, WAD: what makes the looper's position one to be liquidated.
FIRST_SLASH = WAD // 10
# EigenLayer on mainnet, in seconds: 100,800 blocks.
WITHDRAWAL_DELAY = 14 * DAY
# Of the pool's virtual shares and assets.
VIRTUAL = 10**9
# Ways out of the LRT, as contracts/interfaces/IRoute.vyi numbers them; none is the best of all.
_SWAP, _REDEEM, _BEST = 1, 2, 0
_NO_DEADLINE = 2**64


@dataclass(frozen=True)
class Moment:
    """The pool after a step; amounts in wei of WETH.

    Attributes:
        seconds: since it bought.
        low, high: what all shares are worth to who leaves, and to who joins.
        locked: gain that does not count yet.
    """

    seconds: int
    what: str
    cash: int
    low: int
    high: int
    locked: int


@dataclass
class Result:
    """A play: what it paid for how much, what it was paid, and what each depositor has of it.

    Attributes:
        bought: LRT, and its worth at purchase in wstETH that the queue would pay.
        cost, received: WETH.
        paid: wstETH that the queue has paid.
        left: WETH that each has got, in the order of `DEPOSITS`; `fair` is his exact part.
        rest: cash of the pool in the end, which its locked seed owns.
        waited: seconds from purchase to payment.
    """

    name: str
    bought: int = 0
    worth: int = 0
    cost: int = 0
    paid: int = 0
    received: int = 0
    left: list[int] = field(default_factory=list)
    fair: list[int] = field(default_factory=list)
    rest: int = 0
    waited: int = 0
    refused: list[str] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)


@dataclass(frozen=True)
class Turn:
    """Somebody who comes or goes around a gain or a loss, and what he has more by it, in wei."""

    what: str
    gain: int


class Lab:
    """A position to be liquidated, no pool that buys LRT, nothing idle; three depositors."""

    def __init__(self, scene: Deployment) -> None:
        self.scene, self.chain = scene, scene.chain
        protocol = scene.protocol
        self.pool, self._vault, self._queue = protocol.backstop, protocol.vault, protocol.queue
        self._weth, self._wsteth = scene.world.core.weth, scene.world.core.wsteth
        self.who = {name: getattr(scene.roles, name) for name in DEPOSITS}
        self._began = 0
        self._set_up()

    @contextmanager
    def play(self, name: str) -> Iterator[Result]:
        """One play; the chain is as it was after it."""
        with self.chain.isolated():
            yield Result(name)

    # The parts of a play

    def buy(self, result: Result) -> int:
        """A keeper without capital liquidates by the best way; the claim in the queue."""
        liquidator, roles = self.scene.protocol.liquidator, self.scene.roles
        asked = self.scene.protocol.market.address, roles.looper, UNLIMITED
        for route, name in ((_SWAP, "pool"), (_REDEEM, "vault")):
            try:
                liquidator.liquidate.call(*asked, route, 0, sender=roles.keeper)
            except Revert as failure:
                result.refused.append(f"{name}: {failure.reason}")
        self._began = self.chain.timestamp
        receipt = liquidator.liquidate(*asked, _BEST, 1, sender=roles.keeper)
        (bought,) = (event.args for event in receipt.events if event.name == "Bought")
        result.bought, result.cost = bought["amount"], bought["paid"]
        result.worth = self._due(result.bought)
        self._look(result, "bought")
        claim: int = self.pool.enqueue.call()
        self.pool.enqueue(sender=roles.stranger)
        return claim

    def slash(self, result: Result, part: int) -> None:
        """EigenLayer's operator loses a part of all, which nobody has booked yet."""
        self.scene.world.slash(part)
        self._look(result, "slashed")

    def wait(self, result: Result) -> None:
        """By strangers: the queue's patience, an exit, the protocol's delay."""
        adapter, stranger = self.scene.protocol.eigenlayer.address, self.scene.roles.stranger
        self.chain.advance(self._queue.patience())
        pulled = self._queue.pull_back(adapter, UNLIMITED, sender=stranger).events[-1]
        exit_id = pulled.args["exit_id"]
        self.chain.advance(WITHDRAWAL_DELAY)
        try:
            self._vault.finish_exit(adapter, exit_id, sender=stranger)
            result.refused.append("nothing: the exit was finished before its delay")
        except Revert:
            self.scene.world.pass_withdrawal_delay()
        self._vault.finish_exit(adapter, exit_id, sender=stranger)
        self._queue.finalize(8, sender=stranger)
        result.waited = self.chain.timestamp - self._began

    def harvest(self, result: Result, claim: int) -> None:
        """What the queue has paid is collected and sold, a part of it a day later if need be; then
        the units that rounding has left.
        """
        self._collect(result, claim)
        self._look(result, "paid")
        while self.pool.lst():
            self.chain.advance(DAY)
            self._collect(result)
        if claim in self.pool.open_claims():
            self._restake(WAD)
            self._queue.finalize(8)
            self._collect(result, claim)

    def end(self, result: Result) -> None:
        """The gain unlocks, and everybody leaves."""
        self.chain.advance(self.pool.UNLOCK_PERIOD())
        self._look(result, "unlocked")
        assets, supply = self.pool.cash(), self.pool.totalSupply()
        for who in self.who.values():
            shares = self.pool.balanceOf(who)
            part = shares * (assets + VIRTUAL) // (supply + VIRTUAL)
            result.fair.append(part)
            result.left.append(self._gain_of(who, self.pool.redeem, shares, who, who))
            assets, supply = assets - part, supply - shares
        result.rest = self.pool.cash()

    def leave_at_once(self, result: Result) -> list[tuple[int, int]]:
        """All go into the line; what each is owed and gets of the cash that is there."""
        for who in self.who.values():
            shares = self.pool.balanceOf(who)
            self.pool.request_exit(shares, who, who, sender=who)
        self._look(result, "all leave")
        return self.serve()

    def serve(self) -> list[tuple[int, int]]:
        """By a stranger: what waits of each, and what he is paid now."""
        held = [self._weth.balanceOf(who) for who in self.who.values()]
        self.pool.serve(128, sender=self.scene.roles.stranger)
        paid = [
            self._weth.balanceOf(who) - had
            for who, had in zip(self.who.values(), held, strict=True)
        ]
        waits = [self.pool.exit_at(number).worth for number in range(1, len(self.who) + 1)]
        return list(zip(waits, paid, strict=True))

    def step_in(self, claim: int) -> Turn:
        """Somebody joins right before the payment, has it harvested, and leaves again."""
        who, amount = self.scene.roles.borrower, 20 * WAD
        with self.chain.isolated():
            self.scene.world.fund(who, weth=amount)
            had = self._weth.balanceOf(who)
            self._weth.approve(self.pool.address, amount, sender=who)
            self.pool.deposit(amount, who, sender=who)
            self.pool.harvest([claim], sender=who)
            self.pool.redeem(self.pool.balanceOf(who), who, who, sender=who)
            return Turn(
                "joins before the payment, leaves after it", self._weth.balanceOf(who) - had
            )

    def step_out(self, part: int) -> Turn:
        """One leaves between a slash and its booking, instead of after it."""
        who = self.who["trader"]
        got = []
        for booked in (False, True):
            with self.chain.isolated():
                self.scene.world.slash(part)
                if booked:
                    self._vault.sync()
                got.append(self._gain_of(who, self.pool.redeem, self.pool.balanceOf(who), who, who))
        return Turn("leaves between a slash and its booking, not after", got[0] - got[1])

    # How

    def _set_up(self) -> None:
        scene, roles, protocol = self.scene, self.scene.roles, self.scene.protocol
        market, router = protocol.market, protocol.router
        scene.world.fund(roles.lender, weth=LENT)
        self._weth.approve(market.address, LENT, sender=roles.lender)
        market.deposit(LENT, roles.lender, sender=roles.lender)
        self._restake(RESTAKED)
        scene.world.fund(roles.looper, wsteth=EQUITY)
        self._wsteth.approve(router.address, EQUITY, sender=roles.looper)
        market.set_authorization(router.address, True, sender=roles.looper)
        bounds = (0, UNLIMITED, 0, _NO_DEADLINE, 0)
        opened = market.address, self._wsteth.address, EQUITY, LOAN, bounds
        router.open(*opened, sender=roles.looper)
        for adapter, of in ((protocol.symbiotic, 4), (protocol.eigenlayer, 1)):
            idle = self._vault.idle()
            self._vault.allocate(adapter.address, idle // of, sender=roles.allocator)
        scene.world.slash(FIRST_SLASH)
        self._vault.sync()
        scene.answer_fundamental()
        self._empty_pool()
        for name, amount in DEPOSITS.items():
            scene.world.fund(self.who[name], weth=amount)
            self._weth.approve(self.pool.address, amount, sender=self.who[name])
            self.pool.deposit(amount, self.who[name], sender=self.who[name])

    def _empty_pool(self) -> None:
        """Who made the LRT's pool takes all of its liquidity out."""
        manager, provider = (
            self.scene.world.core.position_manager,
            self.scene.roles.liquidity_provider,
        )
        position = self.scene.lrt_pool.position_id
        liquidity = manager.positions(position)[7]
        manager.decreaseLiquidity((position, liquidity, 0, 0, _NO_DEADLINE), sender=provider)
        manager.collect((position, provider, 2**128 - 1, 2**128 - 1), sender=provider)

    def _restake(self, amount: int) -> None:
        who = self.scene.roles.borrower
        self.scene.world.fund(who, wsteth=amount)
        self._wsteth.approve(self._vault.address, amount, sender=who)
        self._vault.deposit(amount, who, sender=who)

    def _due(self, shares: int) -> int:
        """WstETH that the queue would pay for LRT now."""
        total, supply = self._vault.live_total_assets(True), self._vault.totalSupply()
        due: int = shares * (total + VIRTUAL) // (supply + VIRTUAL)
        return due

    def _collect(self, result: Result, *claims: int) -> None:
        result.paid += sum(self._queue.request(claim).claimable_assets for claim in claims)
        before = self.pool.cash()
        self.pool.harvest(list(claims), sender=self.scene.roles.stranger)
        result.received += self.pool.cash() - before

    def _gain_of(self, who: str, act: Any, *arguments: Any) -> int:
        had = self._weth.balanceOf(who)
        act(*arguments, sender=who)
        return int(self._weth.balanceOf(who) - had)

    def _look(self, result: Result, what: str) -> None:
        pool = self.pool
        result.moments.append(
            Moment(
                self.chain.timestamp - self._began,
                what,
                pool.cash(),
                pool.low_assets(),
                pool.joining()[0],
                pool.locked_profit(),
            )
        )
