"""Vault, queue and side pocket over EigenLayer and Symbiotic themselves, against the exact model.

Before each action the model says what must happen: an amount, or the reason of a revert. After each
one all contracts must say the same of themselves as the model, to the unit. And nobody may have
gained by what was done, whoever did it and in whichever order.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from relever.artifacts import artifact
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Receipt, Revert
from relever.model.clock import Clock
from relever.model.eigenlayer import EigenLayer, EigenLayerPosition, Staker
from relever.model.profit import LockedProfit
from relever.model.queue import QUEUE, Fill, Queue
from relever.model.refused import Refused
from relever.model.rounding import WAD
from relever.model.shares import VIRTUAL, Price
from relever.model.side_pocket import WHOLE
from relever.model.symbiotic import ROUNDING, SymbioticPosition, SymbioticVault
from relever.model.vault import DEAD, SEED, Adapter, Vault
from tests.suites import (
    DAY,
    NO_CAP,
    PATIENCE,
    UNLIMITED,
    UNLOCK_PERIOD,
    Suite,
    deploy_adapter,
    deploy_exits,
    deploy_symbiotic_adapter,
    deploy_vault,
    enter,
)

# Who holds shares, who takes the performance fee, who pays for everything else and has stake of his
# own in both protocols.
HOLDERS = ("depositor", "lender", "borrower")
COLLECTOR, PAYER = "liquidator", "stranger"
EIGEN, SYMBIOTIC = "eigen", "symbiotic"
HOLDING = 10**5 * WAD
FIRST_DEPOSIT = 50 * WAD
WHO = st.sampled_from(HOLDERS)
WHICH = st.sampled_from([EIGEN, SYMBIOTIC])
PARTS = st.sampled_from([100, 99, 90, 75, 60, 50, 33, 25, 10, 7, 3, 1])
AMOUNTS = st.one_of(st.integers(1, 15 * WAD), st.integers(1, 15 * WAD), st.integers(0, 10**6))
PICK = st.integers(0, 1000)
# What ends the life of a part, or takes long.
RARE = st.sampled_from([*[False] * 11, True])
# Code that reverts without a word.
NO_ANSWER = bytes.fromhex("5f5ffd")


@dataclass(frozen=True)
class Scene:
    """The contracts; accounts by the names that the model has for them."""

    suite: Suite
    pocket: Contract
    adapters: dict[str, Contract]
    accounts: dict[str, str]
    code: dict[str, bytes]


class State:
    """The model of all that takes part, and what the accounts hold in tokens."""

    def __init__(self, chain: Chain, place: Any, delay: int, held: dict[str, int]) -> None:
        self.clock = Clock(chain.block_number, chain.timestamp)
        self.eigenlayer = EigenLayer(self.clock, delay)
        self.symbiotic = SymbioticVault(
            self.clock,
            place.vault.epochDurationInit(),
            place.vault.epochDuration(),
            place.slasher.vetoDuration(),
        )
        self.eigen = EigenLayerPosition(self.eigenlayer)
        self.symbio = SymbioticPosition(self.symbiotic, SYMBIOTIC)
        self.neighbour = Staker()
        self.vault = Vault(self.clock, LockedProfit(UNLOCK_PERIOD), NO_CAP)
        self.vault.adapters = {
            EIGEN: Adapter(self.eigen, NO_CAP),
            SYMBIOTIC: Adapter(self.symbio, NO_CAP),
        }
        self.queue = Queue(self.vault, PATIENCE)
        # Everyone has approved the queue.
        self.vault.lrt.allowances = defaultdict(lambda: UNLIMITED)
        self.held = held
        # What was sent to contracts for nothing.
        self.donated: Counter[str] = Counter()

    def price(self) -> Fraction:
        """Of a share by the books."""
        return exact(self.vault.price)

    @property
    def doubtful(self) -> bool:
        """Whether less is expected of a quarantine than it owes: nobody knows what a part is worth.

        Who leaves keeps the whole claim, who enters pays for what is expected.
        """
        written_off = self.vault.pocket.adapters.values()
        return any(adapter.expected != adapter.owed for adapter in written_off)

    def wealth(self, who: str) -> Fraction:
        """What somebody holds, can claim, may expect, and would get for all his shares at once."""
        vault, queue = self.vault, self.queue
        mine = [r for r in queue.requests.values() if r.controller == who]
        shares = vault.shares.get(who, 0) + sum(request.shares for request in mine)
        wealth = Fraction(self.held.get(who, 0) + sum(request.claimable for request in mine))
        wealth += shares * exact(vault._look(strict=False).leaving)
        for adapter in vault.pocket.adapters.values():
            claim = adapter.claims.get(who)
            if claim is not None:
                back = adapter.owed + adapter.returned - claim.counted
                wealth += claim.owed + Fraction(claim.part * back, WHOLE)
            part = Fraction(adapter.shares_part, WHOLE)
            wealth += part * adapter.expected * shares / vault.supply
        return wealth


def exact(price: Price) -> Fraction:
    return Fraction(price.total + VIRTUAL, price.supply + VIRTUAL)


class RestakingMachine(RuleBasedStateMachine):
    """Amounts in units, parts in per cent."""

    def __init__(self, scene: Scene, reached: Counter[str]) -> None:
        super().__init__()
        self.scene, self.reached = scene, reached
        self.suite, self.pocket, self.adapters = scene.suite, scene.pocket, scene.adapters
        self.chain, self.vault, self.queue = self.suite.chain, self.suite.vault, self.suite.queue
        self.world = self.suite.world
        self.roles, self.token = self.world.roles, self.world.core.wsteth
        self.place = self.world.symbiotic.veto
        self.accounts = scene.accounts
        self.steps = 0
        self.start = self.chain.snapshot()

    @initialize(
        staked=st.tuples(st.sampled_from([20, 35, 50]), st.sampled_from([30, 50, 90])),
        asked=st.sampled_from([1, 50, 100]),
        scene=st.sampled_from(["plain", "window", "undelegated", "quarantine"]),
        which=WHICH,
        fee=st.sampled_from([0, WAD // 10, WAD // 5]),
        buffer=st.sampled_from([0, 20 * WAD, 60 * WAD]),
    )
    def begin(
        self,
        staked: tuple[int, int],
        asked: int,
        scene: str,
        which: str,
        fee: int,
        buffer: int,
    ) -> None:
        """Holders, stake in both places, someone in line; and by the scene what is rare."""
        delay = self.world.core.delegation_manager.minWithdrawalDelayBlocks()
        names = (*HOLDERS, COLLECTOR, PAYER)
        held = {name: self.token.balanceOf(self.accounts[name]) for name in names}
        self.state = State(self.chain, self.place, delay, held)
        # EigenLayer's names of the adapter's exits.
        self.roots: dict[int, int] = {}
        self.neighbour_stakes(EIGEN, 30 * WAD + 1, False)
        self.neighbour_stakes(SYMBIOTIC, 40 * WAD + 3, False)
        self.set_fees(fee, buffer)
        for who in HOLDERS:
            self.deposit(who, FIRST_DEPOSIT, False)
        for which, part in zip((EIGEN, SYMBIOTIC), staked, strict=True):
            self.allocate(which, part)
        self.request("depositor", asked, 1)
        if scene == "window":
            self.symbiotic_slash(50, 10, "wait", True)
            self.leave("lender", 50, False, 0, room=2)
        elif scene == "plain":
            self.leave("lender", 100, False, 0, room=2)
        elif scene == "undelegated":
            self.undelegate(True)
        elif scene == "quarantine":
            self.quarantine(which, False, True, "lender", 50)
            self.give_back(0, 10)

    def teardown(self) -> None:
        try:
            # What has failed before is what the test has to tell.
            if hasattr(self, "state") and sys.exc_info()[0] is None:
                self.everybody_leaves()
        finally:
            self.chain.revert(self.start)

    # Holders

    @rule(who=WHO, amount=AMOUNTS, mint=st.booleans())
    def deposit(self, who: str, amount: int, mint: bool) -> None:
        account = self.accounts[who]

        def apply(state: State) -> None:
            cost = amount
            if mint:
                cost = state.vault.mint(who, amount)
            else:
                state.vault.deposit(who, amount)
            state.held[who] -= cost

        send = self.vault.mint if mint else self.vault.deposit
        self._act(
            "mint" if mint else "deposit", lambda: send(amount, account, sender=account), apply
        )

    @rule(
        who=WHO,
        part=PARTS,
        exact_assets=st.booleans(),
        over=st.sampled_from([0, 0, 0, 1, 2]),
        room=st.sampled_from([0, 1, 1, 10, 40]),
    )
    def leave(self, who: str, part: int, exact_assets: bool, over: int, room: int = 0) -> None:
        """As much as can be had at once, or one unit more, or all, whatever that is.

        Mostly when something is free: the line is funded and so many whole tokens more.
        """
        if room and not self.state.vault.max_redeem(who):
            vault = self.state.vault
            self.finalize(6)
            lacking = vault.needed(vault.price) - vault.idle
            self.deposit(who, max(0, lacking) + room * WAD, False)
        account, vault = self.accounts[who], self.state.vault
        limit = vault.max_withdraw(who) if exact_assets else vault.max_redeem(who)
        amount = (limit * part // 100, limit + 1, vault.shares[who])[over]
        send = self.vault.withdraw if exact_assets else self.vault.redeem

        def apply(state: State) -> None:
            if exact_assets:
                state.vault.withdraw(who, amount)
                state.held[who] += amount
            else:
                state.held[who] += state.vault.redeem(who, amount)

        free = vault.idle
        done = self._act(
            "withdraw" if exact_assets else "redeem",
            lambda: send(amount, account, account, sender=account),
            apply,
        )
        if done:
            self.reached["exit fee kept"] += any(e.name == "ExitFeeKept" for e in done.events)
            self.reached["left in the veto window"] += self.at_risk > 0
            self.reached["buffer empty"] += 0 == self.state.vault.max_redeem(who) < free

    @rule(who=WHO, part=PARTS, dust=st.integers(0, 5))
    def request(self, who: str, part: int, dust: int) -> None:
        shares = self.state.vault.shares[who] * part // 100 // (10**17 if dust == 0 else 1)
        account, price = self.accounts[who], self.state.price()
        if not shares:
            return
        done = self._act(
            "request",
            lambda: self.queue.requestRedeem(shares, account, account, sender=account),
            lambda state: state.queue.request(who, shares),
        )
        # WQ-7: queueing moves no value, but for what the request has booked.
        if done and not any(event.name == "Synced" for event in done.events):
            assert self.state.price() == price

    @precondition(lambda self: self.state.queue.requests)
    @rule(pick=PICK, stranger=st.integers(0, 5), late=st.booleans())
    def cancel(self, pick: int, stranger: int, late: bool) -> None:
        if late:
            self.deallocate(SYMBIOTIC, 10)
        queue = self.state.queue
        number = _pick(queue.waiting or list(queue.requests), pick)
        sender = PAYER if stranger == 0 else queue.requests[number].controller
        fees: list[int] = []
        done = self._act(
            "cancel",
            lambda: self.queue.cancel(number, sender=self.accounts[sender]),
            lambda state: fees.append(state.queue.cancel(number, sender)),
        )
        if done:
            self.reached["cancel at a fee" if fees[0] else "cancel for free"] += 1

    @rule(most=st.integers(0, 6), own=st.booleans())
    def finalize(self, most: int, own: bool = False) -> None:
        """By a stranger, or by who is first in the line."""
        fills: list[Fill] = []
        head, waiting = self.state.queue.head, self.state.queue.waiting
        sender = self.state.queue.requests[waiting[0]].controller if own and waiting else PAYER
        self._act(
            "finalize",
            lambda: self.queue.finalize(most, sender=self.accounts[sender]),
            lambda state: fills.extend(state.queue.finalize(most, sender)),
        )
        queue = self.state.queue
        # WQ-3: nobody later is paid while somebody earlier waits.
        assert head <= queue.head
        for number, request in queue.requests.items():
            assert not (request.shares if number < queue.head else 0)
            assert not (request.fills if number > queue.head else 0)
        # WQ-5: each part is paid the lesser value of the two, rounded down, and never more.
        for fill in fills:
            self._check_fill(fill)

    def _check_fill(self, fill: Fill) -> None:
        request, price = fill.request, fill.price
        at_request = Fraction(fill.shares * request.first_worth, request.first_shares)
        claim = Fraction(fill.expected * fill.shares, price.supply + VIRTUAL)
        now = fill.shares * exact(price.plus(fill.expected))
        # A part that is worth less than its claim would be paid nothing.
        due = max(Fraction(0), min(at_request, now) - claim)
        assert due - 2 < fill.assets < due + request.fills
        assert request.paid <= request.first_worth
        self.reached["filled in part" if request.shares else "filled"] += 1
        self.reached["live rate binds" if now < at_request else "rate at request binds"] += 1
        self.reached["filled with a claim"] += fill.expected > 0

    @precondition(lambda self: self.state.queue.requests)
    @rule(pick=PICK, stranger=st.integers(0, 5))
    def claim(self, pick: int, stranger: int) -> None:
        queue = self.state.queue
        number = _pick(queue.payable or list(queue.requests), pick)
        self._claim(number, PAYER if stranger == 0 else queue.requests[number].controller)

    # Stake

    @rule(which=WHICH, part=PARTS)
    def allocate(self, which: str, part: int) -> None:
        amount = self.state.vault.idle * part // 100
        self._act(
            "allocate",
            lambda: self.vault.allocate(
                self.adapters[which].address, amount, sender=self.roles.allocator
            ),
            lambda state: state.vault.allocate(which, amount),
        )

    @rule(which=WHICH, part=PARTS)
    def deallocate(self, which: str, part: int) -> None:
        amount = self.state.vault.adapters[which].position.staked * part // 100
        self._start_exit(
            "deallocate",
            which,
            lambda: self.vault.deallocate(
                self.adapters[which].address, amount, sender=self.roles.allocator
            ),
            lambda state: state.vault.start_exit(which, amount),
        )

    @rule(
        which=WHICH,
        amount=st.integers(1, 200 * WAD),
        wait=st.sampled_from([0, 1, PATIENCE, PATIENCE, PATIENCE + 1]),
    )
    def pull_back(self, which: str, amount: int, wait: int) -> None:
        """Mostly when all have asked, and waited for long enough."""
        if wait in (1, PATIENCE):
            self.everybody_asks()
            self.finalize(3)
        self._pass(wait)
        self._start_exit(
            "pull back",
            which,
            lambda: self.queue.pull_back(
                self.adapters[which].address, amount, sender=self.accounts[PAYER]
            ),
            lambda state: state.queue.pull_back(which, amount)[0],
        )

    @rule(which=WHICH, pick=PICK, wait=st.sampled_from([True, True, False]))
    def bring_home(self, which: str, pick: int, wait: bool) -> None:
        exits = self._exits(which)
        if not exits:
            return
        exit_id = _pick(exits, pick)
        if wait:
            self._let_mature(which, exit_id)
        self._bring_home(which, exit_id)

    @rule()
    def sync(self) -> None:
        self._act("sync", self.vault.sync, lambda state: state.vault.sync())

    @rule(amount=AMOUNTS)
    def reward(self, amount: int) -> None:
        def apply(state: State) -> None:
            state.vault.pay_rewards(amount)
            state.held[PAYER] -= amount

        self._act(
            "reward",
            lambda: self.vault.pay_rewards(amount, sender=self.accounts[PAYER]),
            apply,
        )

    @rule(amount=AMOUNTS, to=st.sampled_from(["vault", "queue", "pocket", EIGEN, SYMBIOTIC]))
    def donate(self, amount: int, to: str) -> None:
        """VAULT-13: it changes nothing."""
        self.reached["donation"] += 1
        self.token.transfer(self._place(to), amount, sender=self.accounts[PAYER])
        self.state.held[PAYER] -= amount
        self.state.donated[to] += amount

    # The protocols

    @rule(amount=st.integers(1, 3 * WAD), to=st.sampled_from(["strategy", "stake", "exit"]))
    def give(self, amount: int, to: str) -> None:
        """A gain in a protocol: of the strategy's price, or by stake in the adapter's name."""

        def apply(state: State) -> None:
            if to == "strategy":
                state.eigenlayer.donate(amount)
            elif to == "stake":
                state.symbiotic.deposit(SYMBIOTIC, amount)
            else:
                state.symbiotic.withdraw(PAYER, amount, SYMBIOTIC)
            state.held[PAYER] -= 0 if to == "exit" else amount

        strategy, place = self.world.core.wsteth_strategy.address, self.place.vault
        ours, giver = self.adapters[SYMBIOTIC].address, self.accounts[PAYER]
        sends: dict[str, Callable[[], Receipt]] = {
            "strategy": lambda: self.token.transfer(strategy, amount, sender=giver),
            "stake": lambda: place.deposit(ours, amount, sender=giver),
            "exit": lambda: place.withdraw(ours, amount, sender=giver),
        }
        self._act(f"gift of {to}", sends[to], apply, fair=False)

    @rule(amount=st.integers(WAD, 3 * WAD))
    def gain_beside_a_loss(self, amount: int) -> None:
        """One sync books both, when no earlier loss is left: the fee's shares count the loss."""
        self.reward(self.state.vault.performance_fee.missing + 1)
        self.eigen_slash(1, False, 0)
        self.give(amount, "stake")
        self.sync()

    @rule(which=WHICH, amount=AMOUNTS, leaves=st.booleans())
    def neighbour_stakes(self, which: str, amount: int, leaves: bool) -> None:
        """Someone else in the same pools."""
        account, core = self.accounts[PAYER], self.world.core
        deposit_shares = min(amount, self.state.neighbour.deposit_shares)

        def apply(state: State) -> None:
            if which == SYMBIOTIC and leaves:
                state.symbiotic.withdraw(PAYER, amount)
            elif which == SYMBIOTIC:
                state.symbiotic.deposit(PAYER, amount)
            elif leaves:
                state.eigenlayer.queue(state.neighbour, deposit_shares)
            else:
                state.eigenlayer.deposit(state.neighbour, amount)
            state.held[PAYER] -= 0 if leaves else amount

        sends: dict[tuple[str, bool], Callable[[], Receipt]] = {
            (EIGEN, False): lambda: core.strategy_manager.depositIntoStrategy(
                core.wsteth_strategy.address, self.token.address, amount, sender=account
            ),
            (EIGEN, True): lambda: core.delegation_manager.queueWithdrawals(
                [([core.wsteth_strategy.address], [deposit_shares], account)], sender=account
            ),
            (SYMBIOTIC, False): lambda: self.place.vault.deposit(account, amount, sender=account),
            (SYMBIOTIC, True): lambda: self.place.vault.withdraw(account, amount, sender=account),
        }
        self._act("neighbour", sends[which, leaves], apply, fair=False)

    @rule(part=PARTS, all_of_it=RARE, leaving=st.sampled_from([0, 0, 50, 10]))
    def eigen_slash(self, part: int, all_of_it: bool, leaving: int) -> None:
        """By half of the part at most, so that there is something left for the next."""
        if leaving:
            self.deallocate(EIGEN, leaving)
        wad = WAD if all_of_it else part * WAD // 203
        arguments = (self.roles.operator, 1, [self.world.core.wsteth_strategy.address], [wad], "")
        manager, before = self.world.core.allocation_manager, self.state.eigen
        self._act(
            "slash in EigenLayer",
            lambda: manager.slashOperator(self.roles.avs, arguments, sender=self.roles.avs),
            lambda state: state.eigen.slash(wad),
            fair=False,
        )
        self._count_slash(before.staked, before.exiting, self.state.eigen)

    @rule(rare=RARE)
    def undelegate(self, rare: bool) -> None:
        if rare:
            manager, adapter = self.world.core.delegation_manager, self.adapters[EIGEN].address
            done = self._act(
                "undelegated",
                lambda: manager.undelegate(adapter, sender=self.roles.operator),
                lambda state: state.eigenlayer.undelegate(state.eigen.staker),
                fair=False,
            )
            if done:
                self._learn_roots()

    @rule(
        part=PARTS,
        leaving=st.sampled_from([0, 50, 10]),
        then=st.sampled_from(["wait", "wait", "veto", "execute", "execute"]),
        fresh=st.booleans(),
    )
    def symbiotic_slash(self, part: int, leaving: int, then: str, fresh: bool) -> None:
        """Asked for the stake of now, a second later; exits begin before that or in the window."""
        captured, vault = self.state.clock.time, self.state.symbiotic
        if fresh and vault.epoch_at(captured) == vault.epoch_at(captured + 600):
            self._pass(600)
        if fresh and leaving:
            self.deallocate(SYMBIOTIC, leaving)
        self._pass(1)
        amount = vault.active.amount * part // 100
        arguments = (self.world.symbiotic.subnetwork, self.roles.operator, amount, captured, b"")
        done = self._act(
            "slash requested",
            lambda: self.place.slasher.requestSlash(*arguments, sender=self.roles.avs),
            lambda state: state.symbiotic.request_slash(amount, captured),
            fair=False,
        )
        if not fresh and leaving:
            self.deallocate(SYMBIOTIC, leaving)
        number = len(self.state.symbiotic.requests) - 1
        self.reached["veto window with exits"] += self.at_risk > 0 < self.state.symbio.exiting
        if done and then == "veto":
            self._veto(number)
        elif done and then == "execute":
            self._pass(self.state.symbiotic._veto_duration)
            self._execute(number)

    @precondition(lambda self: self.state.symbio.pending)
    @rule(pick=PICK, veto=st.booleans(), wait=st.booleans())
    def decide(self, pick: int, veto: bool, wait: bool) -> None:
        request = _pick(self.state.symbio.pending, pick)
        number = next(i for i, r in enumerate(self.state.symbiotic.requests) if r is request)
        if veto:
            self._veto(number)
            return
        if wait:
            due = request.requested + self.state.symbiotic._veto_duration
            self._pass(max(0, due - self.state.clock.time))
        self._execute(number)

    @rule(seconds=st.sampled_from([1, 1_200, 3_600, DAY, 3 * DAY]), blocks=st.integers(1, 60))
    def time(self, seconds: int, blocks: int) -> None:
        self.reached["time"] += 1
        before = self.state.price()
        self.chain.mine(blocks)
        self._pass(seconds)
        # VAULT-16: locked profit unlocks and nothing else happens.
        assert self.state.price() >= before

    # The owner, the guardian

    @rule(
        fee=st.sampled_from([0, WAD // 10, WAD // 5]),
        buffer=st.sampled_from([0, 1, 7 * WAD + 1, 60 * WAD, 300 * WAD]),
    )
    def set_fees(self, fee: int, buffer: int) -> None:
        collector, owner = self.accounts[COLLECTOR], self.roles.owner
        most = WAD // 100 if buffer % 2 else WAD // 300
        self._act(
            "set the fee",
            lambda: self.vault.set_performance_fee(fee, collector, sender=owner),
            lambda state: state.vault.set_performance_fee(fee, COLLECTOR),
        )
        self.vault.set_exit_fee(buffer, most, sender=owner)
        exit_fee = self.state.vault.exit_fee
        exit_fee.buffer, exit_fee.most = buffer, most

    @rule(
        which=WHICH,
        room=st.sampled_from([None, None, 0, WAD]),
        share_cap=st.sampled_from([WAD, WAD, WAD // 2, WAD // 5]),
        deposits=st.sampled_from([None, None, 0, 5 * WAD]),
    )
    def set_caps(self, which: str, room: int | None, share_cap: int, deposits: int | None) -> None:
        vault, owner = self.state.vault, self.roles.owner
        adapter = vault.adapters[which]
        if not adapter.in_quarantine:
            adapter.cap = NO_CAP if room is None else adapter.booked + room
            adapter.share_cap = share_cap
            self.vault.set_adapter_caps(
                self.adapters[which].address, adapter.cap, share_cap, sender=owner
            )
        vault.deposit_cap = NO_CAP if deposits is None else vault.total_assets + deposits
        self.vault.set_deposit_cap(vault.deposit_cap, sender=owner)

    @rule(duration=st.sampled_from([1, 3_600, DAY, 3 * DAY, 3 * DAY + 1, 0]), rare=st.booleans())
    def pause(self, duration: int, rare: bool) -> None:
        if rare:
            self._act(
                "pause",
                lambda: self.vault.pause(duration, sender=self.roles.guardian),
                lambda state: state.vault.pause(duration),
            )

    @rule(which=WHICH, by_guardian=st.booleans(), rare=RARE, asks=WHO, part=PARTS)
    def quarantine(self, which: str, by_guardian: bool, rare: bool, asks: str, part: int) -> None:
        """Rarely, with someone in line and someone who leaves right after it."""
        if not rare:
            return
        self.request(asks, part, 1)
        sender = self.roles.guardian if by_guardian else self.roles.owner
        done = self._act(
            "quarantine",
            lambda: self.vault.quarantine(self.adapters[which].address, sender=sender),
            lambda state: state.vault.quarantine(which, by_guardian),
            fair=False,
        )
        if done:
            self.leave(asks, part, False, 0)
            self.finalize(3)

    @precondition(lambda self: self.state.vault.pocket.adapters)
    @rule(pick=PICK, part=PARTS)
    def give_back(self, pick: int, part: int) -> None:
        """A quarantined adapter gives back what it can."""
        which = _pick(list(self.state.vault.pocket.adapters), pick)
        if not self._exits(which):
            self.deallocate(which, part)
        if exits := self._exits(which):
            exit_id = _pick(exits, pick)
            self._let_mature(which, exit_id)
            self._bring_home(which, exit_id)

    @precondition(lambda self: self.state.vault.pocket.adapters)
    @rule(pick=PICK, who=WHO)
    def claim_from_pocket(self, pick: int, who: str) -> None:
        pocket = self.state.vault.pocket.adapters
        able = [(w, n) for w in pocket for n in HOLDERS if pocket[w].claimable(n)]
        which, who = _pick(able, pick) if able else (_pick(list(pocket), pick), who)
        self._claim_from_pocket(which, who)

    @precondition(lambda self: self.state.vault.pocket.adapters)
    @rule(pick=PICK, part=PARTS)
    def expect_less(self, pick: int, part: int) -> None:
        which = _pick(list(self.state.vault.pocket.adapters), pick)
        expected = self.state.vault.pocket.adapters[which].expected * part // 100
        self._act(
            "expect less",
            lambda: self.pocket.lower_expectation(
                self.adapters[which].address, expected, sender=self.roles.owner
            ),
            lambda state: state.vault.pocket.lower_expectation(which, expected),
        )

    @rule(which=WHICH, rare=RARE)
    def silence(self, which: str, rare: bool) -> None:
        """An adapter answers no more."""
        if rare and self.state.vault.adapters[which].answers:
            self.reached["silent"] += 1
            self._set_answers(which, False)
            self.sync()
            self.request("lender", 10, 1)
            self.deposit("lender", WAD, False)

    @precondition(lambda self: not all(a.answers for a in self.state.vault.adapters.values()))
    @rule()
    def answer_again(self) -> None:
        for which, adapter in self.state.vault.adapters.items():
            if not adapter.answers:
                self._set_answers(which, True)

    # One block

    @rule(
        actor=WHO,
        other=WHO,
        doings=st.lists(
            st.tuples(
                st.sampled_from(
                    ["deposit", "leave", "request", "finalize", "sync", "finish", "cancel", "claim"]
                ),
                st.booleans(),
                PARTS,
            ),
            min_size=3,
            max_size=7,
        ),
    )
    def one_block(self, actor: str, other: str, doings: list[tuple[str, bool, int]]) -> None:
        """Any order of what one actor and others do in one moment makes the actor no richer.

        Only what another pays in while a slash is visible does: he buys in at the booked price. And
        so may the fee of another's cancel.
        """
        rich, before = self.state.wealth(actor), self.state.clock.time
        gifts = Fraction(0)
        rounding = Fraction(0)
        for what, others, part in doings:
            who = other if others else actor
            had = self.state.wealth(actor)
            rounding += self._rounding(self.state)
            risky = self.at_risk > 0
            fees = self.state.vault.shares[COLLECTOR]
            match what:
                case "deposit":
                    self.deposit(who, part * WAD // 7, others)
                case "leave":
                    self.leave(who, part, not others, 0)
                case "request":
                    self.request(who, part, 1)
                case "finalize":
                    self.finalize(3)
                case "sync":
                    self.sync()
                case "finish":
                    for which in (EIGEN, SYMBIOTIC):
                        for exit_id in self._exits(which):
                            self._bring_home(which, exit_id)
                case "cancel":
                    mine = [n for n in self.state.queue.waiting if self._controls(who, n)]
                    if mine:
                        self._cancel(mine[-1], who)
                case "claim":
                    for number in self.state.queue.payable:
                        if self._controls(who, number):
                            self._claim(number, who)
            entered = (what == "deposit" and who != actor) or (
                self.state.vault.shares[COLLECTOR] > fees
            )
            # Each action is held to its own bound, see `_check_wealth`.
            if (risky and entered) or (what == "cancel" and who != actor):
                gifts += max(Fraction(0), self.state.wealth(actor) - had)
            rounding += 3 * self._rounding(self.state)
        assert self.state.clock.time == before
        if not self.state.doubtful:
            assert self.state.wealth(actor) <= rich + gifts + rounding
        self.reached["one block"] += 1

    # What must hold

    @invariant()
    def as_the_model_says(self) -> None:
        self.steps += 1
        state, vault, queue = self.state, self.vault, self.queue
        state.clock.block = self.chain.block_number
        books, line, pocket = state.vault, state.queue, state.vault.pocket
        who = (*HOLDERS, COLLECTOR)[self.steps % 4]
        account = self.accounts[who]
        amount = 1 + (self.steps * 7 * WAD + self.steps**3) % (9 * WAD)
        said: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
            "idle": (vault.idle, (), books.idle),
            "locked": (vault.locked_profit, (), books.locked),
            "total": (vault.totalAssets, (), books.total_assets),
            "rate": (vault.rate, (), books.rate),
            "supply": (vault.totalSupply, (), books.supply),
            "to shares": (vault.convertToShares, (amount,), books.price.shares_down(amount)),
            "to assets": (vault.convertToAssets, (amount,), books.price.assets_down(amount)),
            "unrecovered": (vault.unrecovered_loss, (), books.performance_fee.missing),
            "paused": (vault.paused_until, (), books.paused_until),
            "pause again": (vault.pause_again_from, (), books.pause_again_from),
            "adapters": (vault.adapter_count, (), len(books.listed)),
            "expected back": (vault.expected_back, (), pocket.expected),
            "max deposit": (vault.maxDeposit, (account,), books.max_deposit()),
            "max mint": (vault.maxMint, (account,), books.max_mint()),
            "max withdraw": (vault.maxWithdraw, (account,), books.max_withdraw(who)),
            "max redeem": (vault.maxRedeem, (account,), books.max_redeem(who)),
            # WQ-1: in escrow is what waits.
            "queued": (vault.queued_shares, (), books.queued),
            "escrow": (vault.balanceOf, (queue.address,), books.shares[QUEUE]),
            "exits": (vault.queue_exits, (), books.queue_exits),
            # WQ-4: what is set aside is there, and is what can be claimed.
            "set aside": (queue.set_aside, (), line.set_aside),
            "head": (queue.head, (), line.head),
            "next": (queue.next_id, (), line.next_id),
        }
        held = {
            "vault": books.idle,
            "queue": line.set_aside,
            "pocket": pocket.held,
            EIGEN: 0,
            SYMBIOTIC: 0,
        }
        for name, tokens in held.items():
            tokens += state.donated[name]
            said[f"held by {name}"] = (self.token.balanceOf, (self._place(name),), tokens)
        for name in (*HOLDERS, COLLECTOR, PAYER):
            place = self.accounts[name]
            said[f"held by {name}"] = (self.token.balanceOf, (place,), state.held[name])
            said[f"shares of {name}"] = (vault.balanceOf, (place,), books.shares[name])
        for name, adapter in books.adapters.items():
            contract, position = self.adapters[name], adapter.position
            said[f"booked {name}"] = (vault.booked, (contract.address,), adapter.booked)
            if adapter.answers:
                total, risk = position.total_assets, position.value_at_risk
                said[f"live {name}"] = (contract.total_assets, (), total)
                said[f"at risk {name}"] = (contract.value_at_risk, (), risk)
                said[f"exiting {name}"] = (contract.exiting, (), position.exiting)
        for name, written_off in pocket.adapters.items():
            place = self.adapters[name].address
            said[f"owed {name}"] = (self.pocket.owed_of, (place,), written_off.owed)
            said[f"expected {name}"] = (self.pocket.expected_of, (place,), written_off.expected)
            said[f"part {name}"] = (self.pocket.shares_part, (place,), written_off.shares_part)
            for holder in HOLDERS:
                claim = written_off.claimable(holder)
                where = (place, self.accounts[holder])
                said[f"claim {name} {holder}"] = (self.pocket.claimable, where, claim)
        live: dict[str, tuple[Any, tuple[Any, ...], Callable[[], int]]] = {
            "live": (vault.live_total_assets, (True,), lambda: books.live_total(True)),
            "entering": (vault.live_total_assets, (False,), lambda: books.live_total(False)),
            "live rate": (vault.live_rate, (), lambda: books.live_rate),
            "deposit": (vault.previewDeposit, (amount,), lambda: books.preview_deposit(amount)),
            "mint": (vault.previewMint, (amount,), lambda: books.preview_mint(amount)),
            "withdraw": (vault.previewWithdraw, (amount,), lambda: books.preview_withdraw(amount)),
            "redeem": (vault.previewRedeem, (amount,), lambda: books.preview_redeem(amount)),
        }
        if books.readable:
            said |= {name: (read, args, value()) for name, (read, args, value) in live.items()}
        else:
            for read, args, _ in live.values():
                with pytest.raises(Revert, match="vault: adapter unreadable"):
                    read(*args)
        answers = self.chain.read_batch([read.build(*args) for read, args, _ in said.values()])
        found = dict(zip(said, answers, strict=True))
        assert found == {name: expected for name, (_, _, expected) in said.items()}
        for number in {line.head, line.next_id - 1} & line.requests.keys():
            request, view = line.requests[number], queue.request(number)
            assert (view.controller, view.shares, view.assets) == (
                self.accounts[request.controller], request.shares, request.worth
            )  # fmt: skip
            assert (view.claimable_shares, view.claimable_assets) == (
                request.claimable_shares, request.claimable
            )  # fmt: skip

    @invariant()
    def conserved(self) -> None:
        """VAULT-8, VAULT-9: no unit comes from nowhere or is lost, of assets or of shares."""
        books, line = self.state.vault, self.state.queue
        kept = books.idle + books.staked + line.set_aside + books.pocket.held
        came = books.paid_in + books.gained
        assert kept + books.paid_out == came - books.lost
        assert books.queued == sum(request.shares for request in line.requests.values())
        assert books.shares[QUEUE] == books.queued
        assert books.shares[DEAD] == SEED
        # VAULT-7, without the dead shares, while a share is worth more than 1e-6.
        if self.state.price() > Fraction(VIRTUAL, SEED):
            living = [shares for who, shares in books.shares.items() if who != DEAD]
            assert sum(map(books.price.assets_down, living)) <= books.total_assets

    @invariant()
    def claims_are_payable(self) -> None:
        """WQ-2, L: whatever is due is paid to who asks for it, whatever else has happened."""
        state, line, pocket = self.state, self.state.queue, self.state.vault.pocket
        calls, due = [], []
        for number in line.payable:
            account = self.accounts[line.requests[number].controller]
            calls.append(self.queue.claim.build(number, account, sender=account))
            due.append(line.requests[number].claimable)
        for name, adapter in pocket.adapters.items():
            for who in (*HOLDERS, COLLECTOR):
                if amount := adapter.claimable(who):
                    arguments = (self.adapters[name].address, self.accounts[who])
                    calls.append(self.pocket.claim.build(*arguments))
                    due.append(amount)
        assert self.chain.read_batch(calls) == due
        owed = sum(a.claimable(who) for a in pocket.adapters.values() for who in state.held)
        assert owed <= pocket.held

    @invariant()
    def syncing_first_changes_nothing(self) -> None:
        """Who leaves is paid the same whether or not somebody has synced before."""
        books = self.state.vault
        if not (books.readable and all(a.answers for a in books.listed)):
            return
        who = HOLDERS[self.steps % 3]
        shares = books.max_redeem(who) * (1 + self.steps % 100) // 100
        if not shares:
            return
        synced = deepcopy(books)
        synced.sync()
        self.reached["left after and before a sync"] += 1
        paid, later = books.preview_redeem(shares), synced.preview_redeem(shares)
        if synced.shares == books.shares:
            gift = any(
                not a.booked and a.position.value_at_risk and a.position.total_assets
                for a in books.listed
            )
            assert paid == later or (gift and later < paid)
            self.reached["gift at risk"] += gift
            return
        # Fee shares round, and while a slash is visible they bear a part of it.
        self.reached["left around a fee"] += 1
        if not self.at_risk:
            assert abs(paid - later) <= self._rounding(self.state)

    def everybody_leaves(self) -> None:
        """WQ-8, EXIT-3: from wherever it stands, everyone asks for everything and gets it."""
        self.answer_again()
        for number, request in enumerate(self.state.symbiotic.requests):
            if any(request is pending for pending in self.state.symbio.pending):
                due = request.requested + self.state.symbiotic._veto_duration
                if self.state.clock.time < due:
                    self._veto(number)
        # Slashes that could still be executed lapse, and the protocols' exits mature.
        self._pass(2 * self.state.symbiotic.epoch_duration)
        self.chain.mine(self.state.eigenlayer.delay + 1)
        self.everybody_asks()
        for _ in range(2):
            for which in (EIGEN, SYMBIOTIC):
                for exit_id in self._exits(which):
                    self._let_mature(which, exit_id)
                    self._bring_home(which, exit_id)
                if self.state.vault.adapters[which].position.staked:
                    self.deallocate(which, 100)
        while (head := self.state.queue.head) < self.state.queue.next_id:
            self.finalize(50)
            if self.state.queue.head == head:
                break
        vault, queue = self.state.vault, self.state.queue
        # Units that the protocols' rounding and the virtual assets have kept.
        unpaid = sum(queue.requests[number].worth for number in queue.waiting)
        due = vault.live_total(True) * vault.queued // vault.supply
        assert min(unpaid, due) <= VIRTUAL + 10 * len(queue.requests)
        for number in queue.payable:
            self._claim(number, queue.requests[number].controller)
        for which in vault.pocket.adapters:
            for who in HOLDERS:
                if self.state.vault.pocket.adapters[which].claimable(who):
                    self._claim_from_pocket(which, who)
        assert self.state.queue.set_aside == 0
        self.as_the_model_says()
        self.conserved()
        self.reached["everybody left"] += not self.state.vault.queued

    def everybody_asks(self) -> None:
        for who in HOLDERS:
            self.request(who, 100, 1)

    # How

    @property
    def at_risk(self) -> int:
        return sum(a.position.value_at_risk for a in self.state.vault.listed)

    def _act(
        self,
        what: str,
        send: Callable[[], Receipt],
        apply: Callable[[State], object],
        fair: bool = True,
    ) -> Receipt | None:
        """Do it on the chain and in the model; both succeed, or both refuse for one reason.

        Args:
            what: to count it.
            send: to the chain.
            apply: to the model.
            fair: nobody may have gained by it. Slashes, vetoes and gifts are not meant.
        """
        trial = deepcopy(self.state)
        trial.clock.block = self.chain.block_number + 1
        refused = None
        try:
            apply(trial)
        except Refused as refusal:
            refused = str(refusal)
        if refused is not None:
            with pytest.raises(Revert) as failure:
                send()
            assert failure.value.reason == refused
            self.reached[f"{what} refused: {refused}"] += 1
            return None
        receipt = send()
        assert receipt.block_number == trial.clock.block
        assert receipt.timestamp == trial.clock.time
        self._check_rate(trial)
        if fair and not (self.state.doubtful or trial.doubtful):
            self._check_wealth(what, trial)
        self._count(what, trial)
        self.state = trial
        return receipt

    def _check_rate(self, after: State) -> None:
        """VAULT-6: the rate falls by a loss only, and by no more than that."""
        price, loss = self.state.vault.price, after.vault.lost - self.state.vault.lost
        fallen = Price(max(0, price.total - loss), price.supply)
        assert after.price() >= exact(fallen)

    def _check_wealth(self, what: str, after: State) -> None:
        """RND-1, RND-2: nobody is richer than before, but for rounding.

        In the veto window who enters pays the booked price, more than leaving pays: that is to the
        good of the others, and so are the shares of a fee.
        """
        before = self.state
        before.clock.block = after.clock.block
        books = before.vault.shares
        entered = what in ("deposit", "mint")
        charged = after.vault.shares[COLLECTOR] > books[COLLECTOR]
        bound = max(self._rounding(before), self._rounding(after))
        if what == "cancel":
            # The fee's shares: a loss that is not booked yet eats what is locked for them, and
            # their part of what quarantines are to give back is the others' at once.
            fee = before.vault.supply - after.vault.supply
            bound += fee * exact(before.vault.price.plus(before.vault.pocket.expected))
        gains = {who: after.wealth(who) - before.wealth(who) for who in HOLDERS}
        found = before.vault._look(strict=False)
        if found.leaving.total == found.entering.total or not (entered or charged):
            assert all(gain <= bound for gain in gains.values()), (what, _readable(gains))
        if not charged:
            total = sum(gains.values(), after.wealth(COLLECTOR) - before.wealth(COLLECTOR))
            assert total <= bound, (what, _readable(gains))

    def _rounding(self, state: State) -> Fraction:
        """What one action may move by rounding: some units of assets or shares, an exit's each.

        The virtual units are paid to nobody, unless a share is worth less than 1e-6; and they have
        no part of what quarantines give back.
        """
        bound = Fraction(4 + 4 * ceil(state.price()))
        thin = exact(state.vault._look(strict=False).leaving) <= Fraction(VIRTUAL, SEED)
        return bound + VIRTUAL if thin or state.vault.pocket.adapters else bound

    def _count(self, what: str, after: State) -> None:
        before = self.state
        self.reached[what] += 1
        charged = after.vault.shares[COLLECTOR] > before.vault.shares[COLLECTOR]
        self.reached["fee charged"] += charged
        self.reached["fee charged beside a loss"] += charged and after.vault.lost > (
            before.vault.lost + ROUNDING
        )
        recovered = after.vault.performance_fee.missing < before.vault.performance_fee.missing
        free = recovered and not charged and before.vault.performance_fee.part > 0
        self.reached["recovery without fee"] += free
        self.reached["step after a quarantine"] += bool(after.vault.pocket.adapters)
        left = sum(
            claim.part > 0
            for a in after.vault.pocket.adapters.values()
            for claim in a.claims.values()
        )
        self.reached["step with claims in the pocket"] += left > 0
        self.reached["step when undelegated"] += not after.eigen.staker.delegated
        self.reached["loss booked while someone waits"] += (
            after.vault.lost > before.vault.lost + ROUNDING and before.vault.queued > 0
        )

    def _count_slash(self, staked: int, exiting: int, position: Any) -> None:
        books = self.state.vault
        self.reached["stake slashed"] += position.staked < staked
        self.reached["exit slashed"] += position.exiting < exiting
        if position.staked < staked:
            self.reached["slashed while waiting"] += books.queued > 0
            self.reached["slashed with assets set aside"] += self.state.queue.set_aside > 0

    def _start_exit(
        self,
        what: str,
        which: str,
        send: Callable[[], Receipt],
        apply: Callable[[State], int],
    ) -> None:
        ids: list[int] = []
        done = self._act(what, send, lambda state: ids.append(apply(state)))
        if done:
            (started,) = [
                event
                for event in done.events
                if event.name == "ExitStarted" and event.address == self.vault.address
            ]
            if which == EIGEN:
                self.roots[ids[0]] = started.args["id"]
            else:
                assert started.args["id"] == ids[0]

    def _exits(self, which: str) -> list[int]:
        """Exits of an adapter that are not finished, as the model names them."""
        if which == EIGEN:
            return list(self.state.eigen.staker.withdrawals)
        vault = self.state.symbiotic
        given = [epoch for epoch in vault.buckets if vault.bucket(epoch).worth(SYMBIOTIC)]
        unclaimed = [epoch for epoch in given if (epoch, SYMBIOTIC) not in vault.claimed]
        return sorted({*self.state.symbio.open_exits, *unclaimed})

    def _let_mature(self, which: str, exit_id: int) -> None:
        if which == EIGEN:
            withdrawal = self.state.eigen.staker.withdrawals[exit_id]
            last = withdrawal.start_block + self.state.eigenlayer.delay
            self.chain.mine(max(0, last - self.chain.block_number))
            return
        vault = self.state.symbiotic
        start = vault.start + (exit_id + 1) * vault.epoch_duration
        self._pass(max(0, start - self.state.clock.time))

    def _bring_home(self, which: str, exit_id: int) -> None:
        found: list[int] = []
        before = self.state.vault.pocket.held
        number = self.roots[exit_id] if which == EIGEN else exit_id
        done = self._act(
            "bring home",
            lambda: self.vault.finish_exit(
                self.adapters[which].address, number, sender=self.accounts[PAYER]
            ),
            lambda state: found.append(state.vault.finish_exit(which, exit_id)),
        )
        if done:
            assert done.events[-1].args["amount"] == found[0]
            if self.state.vault.adapters[which].in_quarantine:
                self.reached["quarantine gave back"] += found[0] > 0
                self.reached["claims got a part"] += self.state.vault.pocket.held > before

    def _claim(self, number: int, sender: str) -> None:
        account = self.accounts[sender]

        def apply(state: State) -> None:
            state.held[sender] += state.queue.claim(number, sender)

        self._act("claim", lambda: self.queue.claim(number, account, sender=account), apply)

    def _cancel(self, number: int, sender: str) -> None:
        self._act(
            "cancel",
            lambda: self.queue.cancel(number, sender=self.accounts[sender]),
            lambda state: state.queue.cancel(number, sender),
        )

    def _controls(self, who: str, number: int) -> bool:
        return self.state.queue.requests[number].controller == who

    def _claim_from_pocket(self, which: str, who: str) -> None:
        def apply(state: State) -> None:
            amount = state.vault.pocket.claim(which, who)
            state.held[who] += amount
            state.vault.paid_out += amount

        place, account = self.adapters[which].address, self.accounts[who]
        self._act(
            "claim from the pocket",
            lambda: self.pocket.claim(place, account, sender=self.accounts[PAYER]),
            apply,
        )

    def _execute(self, number: int) -> None:
        before = self.state.symbio
        done = self._act(
            "slash executed",
            lambda: self.world.symbiotic.execute_slash(number),
            lambda state: state.symbiotic.execute_slash(number),
            fair=False,
        )
        if done:
            self._count_slash(before.staked, before.exiting, self.state.symbio)

    def _veto(self, number: int) -> None:
        self._act(
            "veto",
            lambda: self.world.symbiotic.veto_slash(number),
            lambda state: state.symbiotic.veto_slash(number),
            fair=False,
        )

    def _set_answers(self, which: str, answers: bool) -> None:
        code = self.scene.code[which] if answers else NO_ANSWER
        self.chain.set_code(self.adapters[which].address, code)
        self.state.vault.adapters[which].answers = answers

    def _learn_roots(self) -> None:
        """EigenLayer's name of an exit that it has forced on the adapter."""
        manager, adapter = self.world.core.delegation_manager, self.adapters[EIGEN].address
        names = {int.from_bytes(r, "big") for r in manager.getQueuedWithdrawalRoots(adapter)}
        new = names - set(self.roots.values())
        for number in self.state.eigen.staker.withdrawals.keys() - self.roots.keys():
            (self.roots[number],) = new

    def _pass(self, seconds: int) -> None:
        """Let time pass, on the chain and in the model."""
        self.chain.advance(seconds)
        self.state.clock.advance(seconds=seconds)

    def _place(self, name: str) -> str:
        places = {"vault": self.vault, "queue": self.queue, "pocket": self.pocket, **self.adapters}
        return str(places[name].address)


def _readable(gains: dict[str, Fraction]) -> dict[str, float]:
    return {who: float(gain) for who, gain in gains.items()}


def _pick(choices: Sequence[Any], pick: int) -> Any:
    return choices[pick % len(choices)]


# Reached at least so often by the seed below, or the machine says nothing about them.
MUST_REACH = {
    "allocate": 30,
    "bring home": 40,
    "buffer empty": 1,
    "cancel at a fee": 2,
    "cancel for free": 1,
    "claim": 50,
    "claim from the pocket": 4,
    "claims got a part": 4,
    "deallocate": 40,
    "deposit": 50,
    "everybody left": 20,
    "exit fee kept": 5,
    "exit slashed": 5,
    "fee charged": 2,
    "fee charged beside a loss": 1,
    "filled": 50,
    "filled in part": 5,
    "filled with a claim": 5,
    "finalize": 60,
    "left after and before a sync": 200,
    "left in the veto window": 1,
    "live rate binds": 5,
    "loss booked while someone waits": 5,
    "one block": 10,
    "quarantine": 2,
    "quarantine gave back": 4,
    "rate at request binds": 40,
    "recovery without fee": 3,
    "redeem": 5,
    "request": 60,
    "slash executed": 3,
    "slash in EigenLayer": 6,
    "slash requested": 8,
    "slashed while waiting": 6,
    "slashed with assets set aside": 5,
    "step when undelegated": 20,
    "step with claims in the pocket": 50,
    "undelegated": 3,
    "veto window with exits": 5,
    "withdraw": 3,
}


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        roles, core, chain = world.roles, world.core, world.chain
        place = world.symbiotic.veto
        vault = deploy_vault(world)
        adapters = {
            EIGEN: deploy_adapter(world, vault),
            SYMBIOTIC: deploy_symbiotic_adapter(world, vault, place.vault.address),
        }
        queue = deploy_exits(world, vault)
        for adapter in adapters.values():
            vault.add_adapter(adapter.address, NO_CAP, WAD, sender=roles.owner)
        accounts = {name: getattr(roles, name) for name in (*HOLDERS, COLLECTOR, PAYER)}
        for account in accounts.values():
            enter(world, vault, account, 0)
            world.fund(account, wsteth=HOLDING)
            vault.approve(queue.address, UNLIMITED, sender=account)
        nothing = ((b"", 0), b"\0" * 32)
        payer = accounts[PAYER]
        core.delegation_manager.delegateTo(roles.operator, *nothing, sender=payer)
        for spender in (core.strategy_manager.address, place.vault.address):
            core.wsteth.approve(spender, UNLIMITED, sender=payer)
        # Past the first epochs, so that there are some before.
        for _ in range(3):
            place.pass_epoch()
        pocket = chain.contract(vault.side_pocket(), artifact("SidePocket"))
        code = {
            name: bytes.fromhex(chain.rpc("eth_getCode", (adapter.address, "latest"))[2:])
            for name, adapter in adapters.items()
        }
        suite = Suite(world, vault, queue, tuple(adapters.values()))
        yield Scene(suite, pocket, adapters, accounts, code)


def test_restaking_machine__any_order__as_the_model_says(scene: Scene) -> None:
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: RestakingMachine(scene, reached),
        settings=settings(
            max_examples=26,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            # Making a failure smaller would take many minutes.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(sorted(reached.items())))
    short = {what: reached[what] for what, least in MUST_REACH.items() if reached[what] < least}
    assert not short, f"hardly reached: {short} of {dict(reached)}"
