"""Vault and withdrawal queue against an exact integer model, in any order of what anyone may do.

Before each action the model says what must happen: an amount, or the reason of a revert. After each
one the contracts must say the same of themselves as the model, to the unit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
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
from relever.chain import Anvil, Chain, Contract, Receipt, Revert
from relever.model.clock import Clock
from relever.model.profit import LockedProfit
from relever.model.queue import QUEUE, Fill, Queue
from relever.model.refused import Refused
from relever.model.rounding import WAD
from relever.model.shares import VIRTUAL
from relever.model.vault import SEED, Adapter, Vault
from tests.unit.vault.conftest import (
    ADAPTER_CAP,
    DAY,
    DEPOSIT_CAP,
    UNLIMITED,
    UNLOCK_PERIOD,
    Setup,
    build,
)

PATIENCE = 2 * DAY
PARTS = st.integers(1, 100)
WHO = st.integers(0, 2)
WHICH = st.integers(0, 1)
FIRST_DEPOSIT = 50 * WAD


@dataclass
class Stake:
    """A position that is what the test says, and has one exit at a time."""

    staked: int = 0
    exiting: int = 0
    value_at_risk: int = 0
    # Ids that were given, and the one exit that may be open.
    exits: int = 0
    open_exit: int | None = None

    @property
    def total_assets(self) -> int:
        return self.staked + self.exiting

    def stake(self, amount: int) -> None:
        self.staked += amount

    def start_exit(self, amount: int) -> int:
        leaving = min(amount, self.staked)
        self.staked -= leaving
        self.exiting += leaving
        self.open_exit = self.exits
        self.exits += 1
        return self.open_exit

    def finish_exit(self, exit_id: int) -> int:
        assert exit_id == self.open_exit
        amount, self.exiting, self.open_exit = self.exiting, 0, None
        return amount


class Model:
    """Vault and queue over two such positions, named by their places."""

    def __init__(self, now: int) -> None:
        self.clock = Clock(time=now)
        self.positions = [Stake(), Stake()]
        self.vault = Vault(self.clock, LockedProfit(UNLOCK_PERIOD), DEPOSIT_CAP)
        for which, position in enumerate(self.positions):
            self.vault.adapters[str(which)] = Adapter(position, ADAPTER_CAP)
        self.queue = Queue(self.vault, PATIENCE)
        # Everyone has approved the queue.
        self.vault.lrt.allowances = defaultdict(lambda: UNLIMITED)

    @property
    def price(self) -> Fraction:
        price = self.vault.price
        return Fraction(price.total + VIRTUAL, price.supply + VIRTUAL)


class QueueMachine(RuleBasedStateMachine):
    """Three holders, two adapters; amounts in units, parts in per cent."""

    def __init__(self, scene: tuple[Setup, Contract], reached: Counter[str]) -> None:
        super().__init__()
        (self.setup, self.queue), self.reached = scene, reached
        self.chain, self.vault, self.token = self.setup.chain, self.setup.vault, self.setup.token
        self.actors = self.setup.actors
        self.holders = [self.actors.depositor, self.actors.holder, self.actors.attacker]
        self.adapters = [self.setup.adapter, self.setup.second_adapter]
        self.donated = 0
        self.start = self.chain.snapshot()
        self.model = Model(self.chain.timestamp)
        for who in range(3):
            self.deposit(who, FIRST_DEPOSIT)

    @initialize(staked=st.sampled_from([20, 45, 60]), asked=st.sampled_from([1, 50, 100]))
    def begin(self, staked: int, asked: int) -> None:
        self.redeem(2, 5, False)
        for which in range(2):
            self.allocate(which, staked)
        self.request(0, asked, 1)

    def teardown(self) -> None:
        try:
            self.everybody_leaves()
        finally:
            self.chain.revert(self.start)

    # Holders

    @rule(who=WHO, amount=st.integers(1, 15 * WAD))
    def deposit(self, who: int, amount: int) -> None:
        holder = self.holders[who]
        self._act(
            "deposit",
            lambda: self.vault.deposit(amount, holder, sender=holder),
            lambda model: model.vault.deposit(holder, amount),
        )

    @rule(who=WHO, part=PARTS, over=st.booleans())
    def redeem(self, who: int, part: int, over: bool) -> None:
        holder = self.holders[who]
        shares = self.vault.maxRedeem(holder) * part // 100
        if over:
            shares = self.model.vault.shares[holder]
        if shares:
            self._act(
                "redeem",
                lambda: self.vault.redeem(shares, holder, holder, sender=holder),
                lambda model: model.vault.redeem(holder, shares),
            )

    @rule(who=WHO, part=PARTS, dust=st.integers(0, 3))
    def request(self, who: int, part: int, dust: int) -> None:
        holder = self.holders[who]
        shares = self.model.vault.shares[holder] * part // 100 // (10**17 if dust == 0 else 1)
        rate = self.vault.rate()
        if not shares:
            return
        done = self._act(
            "request",
            lambda: self.queue.requestRedeem(shares, holder, holder, sender=holder),
            lambda model: model.queue.request(holder, shares),
        )
        # WQ-7, but for a loss that the request has shown.
        if done and not any(event.name == "Synced" for event in done.events):
            assert self.vault.rate() == rate
        if part == 100:
            # Nothing is staked that the line may need.
            self.allocate(0, 10)

    @precondition(lambda self: self.model.queue.requests)
    @rule(pick=st.integers(0, 1000), stranger=st.integers(0, 5), late=st.booleans())
    def cancel(self, pick: int, stranger: int, late: bool) -> None:
        if late:
            self.deallocate(0, 10)
        waiting = self.model.queue.waiting or [1]
        which = waiting[pick % len(waiting)]
        sender = self._sender(which, stranger)
        exits = self.model.vault.queue_exits
        free = self.model.queue.requests[which].exits_before == exits
        done = self._act(
            "cancel",
            lambda: self.queue.cancel(which, sender=sender),
            lambda model: model.queue.cancel(which, sender),
        )
        if done:
            self.reached["cancel for free" if free else "cancel at a fee"] += 1

    @rule(most=st.integers(0, 6), own=st.booleans())
    def finalize(self, most: int, own: bool = False) -> None:
        """By a stranger, or by who is first in the line."""
        found: list[Fill] = []
        head, waiting = self.model.queue.head, self.model.queue.waiting
        stranger = self.actors.stranger
        sender = self.model.queue.requests[waiting[0]].controller if own and waiting else stranger
        self._act(
            "finalize",
            lambda: self.queue.finalize(most, sender=sender),
            lambda model: found.extend(model.queue.finalize(most, sender)),
        )
        # WQ-3: nobody later is paid while somebody earlier waits.
        line = self.model.queue
        assert head <= line.head
        assert not any(r.shares for number, r in line.requests.items() if number < line.head)
        assert not any(r.fills for number, r in line.requests.items() if number > line.head)
        # WQ-5: each part is paid the lesser value, one unit less at most; over its life no request
        # gets more than it was worth.
        for fill in found:
            request, shares = fill.request, fill.shares
            at_request = Fraction(shares * request.first_worth, request.first_shares)
            price = Fraction(fill.price.total + VIRTUAL, fill.price.supply + VIRTUAL)
            due = min(at_request, shares * price)
            assert due - 1 < fill.assets < due + request.fills
            assert request.paid <= request.first_worth
            self.reached["filled in part" if request.shares else "filled"] += 1
            live_binds = due < at_request
            self.reached["live rate binds" if live_binds else "rate at request binds"] += 1

    @precondition(lambda self: self.model.queue.requests)
    @rule(pick=st.integers(0, 1000), stranger=st.integers(0, 5))
    def claim(self, pick: int, stranger: int) -> None:
        payable = self.model.queue.payable or [1]
        which = payable[pick % len(payable)]
        self._claim(which, self._sender(which, stranger))

    # Stake

    @rule(which=WHICH, part=PARTS)
    def allocate(self, which: int, part: int) -> None:
        amount = self.model.vault.idle * part // 100
        if amount:
            self._act(
                "allocate",
                lambda: self.vault.allocate(
                    self.adapters[which].address, amount, sender=self.actors.allocator
                ),
                lambda model: model.vault.allocate(str(which), amount),
            )

    @rule(which=WHICH, part=PARTS)
    def deallocate(self, which: int, part: int) -> None:
        position = self.model.positions[which]
        amount = position.staked * part // 100
        if amount and position.open_exit is None:
            self._act(
                "deallocate",
                lambda: self.vault.deallocate(
                    self.adapters[which].address, amount, sender=self.actors.allocator
                ),
                lambda model: model.vault.start_exit(str(which), amount),
            )

    @rule(
        which=WHICH,
        amount=st.sampled_from([1, 7 * WAD + 1, 60 * WAD, 400 * WAD, 400 * WAD]),
        wait=st.sampled_from([0, 1, PATIENCE, PATIENCE + 1]),
    )
    def pull_back(self, which: int, amount: int, wait: int) -> None:
        """When all have asked, mostly; when all are paid; when what is idle pays for all."""
        if wait == 0:
            self.deposit(1, 60 * WAD)
            self.finalize(6)
        else:
            self.everybody_asks()
            if wait == PATIENCE + 1:
                self.deposit(1, 200 * WAD)
            else:
                self.finalize(2)
        self._pass(wait)
        # The double takes one exit at a time.
        if self.model.positions[which].open_exit is None and self.model.positions[which].staked:
            self._act(
                "pull back",
                lambda: self.queue.pull_back(
                    self.adapters[which].address, amount, sender=self.actors.stranger
                ),
                lambda model: model.queue.pull_back(str(which), amount),
            )

    @rule(which=WHICH)
    def bring_home(self, which: int) -> None:
        exit_id = self.model.positions[which].open_exit
        if exit_id is not None:
            self._act(
                "bring home",
                lambda: self.vault.finish_exit(self.adapters[which].address, exit_id),
                lambda model: model.vault.finish_exit(str(which), exit_id),
            )

    @rule()
    def sync(self) -> None:
        self._act("sync", self.vault.sync, lambda model: model.vault.sync())

    # The world

    @rule(which=WHICH, part=st.sampled_from([1, 7, 25, 60, 99, 100]))
    def slash(self, which: int, part: int) -> None:
        position = self.model.positions[which]
        if position.total_assets:
            self.reached["slash"] += 1
            self.reached["slash while someone waits"] += self.model.vault.queued > 0
            self.reached["slash with assets set aside"] += self.model.queue.set_aside > 0
            position.staked -= position.staked * part // 100
            position.exiting -= position.exiting * part // 100
            position.value_at_risk = 0
            self._report(which)

    @rule(which=WHICH, part=PARTS)
    def slash_is_seen(self, which: int, part: int) -> None:
        position = self.model.positions[which]
        position.value_at_risk = position.total_assets * part // 100
        self.reached["slash seen"] += position.value_at_risk > 0
        self._report(which)

    @rule(which=WHICH, amount=st.integers(1, 3 * WAD))
    def stake_grows(self, which: int, amount: int) -> None:
        position = self.model.positions[which]
        if position.total_assets:
            self.reached["gain"] += 1
            position.staked += amount
            self._report(which)

    @rule(amount=st.integers(1, 5 * WAD))
    def reward(self, amount: int) -> None:
        self._act(
            "reward",
            lambda: self.vault.pay_rewards(amount, sender=self.actors.payer),
            lambda model: model.vault.pay_rewards(amount),
        )

    @rule(amount=st.integers(1, 5 * WAD))
    def donate(self, amount: int) -> None:
        self.reached["donation"] += 1
        self.donated += amount
        self.token.transfer(self.queue.address, amount, sender=self.actors.payer)

    @rule(seconds=st.sampled_from([1, DAY, PATIENCE, 5 * DAY]))
    def time(self, seconds: int) -> None:
        self.reached["time"] += 1
        self._pass(seconds)

    # What must hold

    @invariant()
    def as_the_model_says(self) -> None:
        vault, queue = self.vault, self.queue
        books, line = self.model.vault, self.model.queue
        place = queue.address
        said = {
            "idle": (vault.idle, (), books.idle),
            "first booked": (vault.booked, (self.adapters[0].address,), books.adapters["0"].booked),
            "second booked": (
                vault.booked,
                (self.adapters[1].address,),
                books.adapters["1"].booked,
            ),
            "locked": (vault.locked_profit, (), books.locked),
            "total": (vault.totalAssets, (), books.total_assets),
            "live": (vault.live_total_assets, (True,), books.live_total(True)),
            "supply": (vault.totalSupply, (), books.supply),
            # WQ-1: in escrow is what waits.
            "queued": (vault.queued_shares, (), books.queued),
            "escrow": (vault.balanceOf, (place,), books.shares[QUEUE]),
            "exits": (vault.queue_exits, (), books.queue_exits),
            # WQ-4: what is set aside is there, and is what can be claimed.
            "set aside": (queue.set_aside, (), line.set_aside),
            "held by the queue": (self.token.balanceOf, (place,), line.set_aside + self.donated),
            "held by the vault": (self.token.balanceOf, (vault.address,), books.idle),
            "head": (queue.head, (), line.head),
            "next": (queue.next_id, (), line.next_id),
            **{
                f"holder {i}": (vault.balanceOf, (who,), books.shares[who])
                for i, who in enumerate(self.holders)
            },
        }
        answers = self.chain.read_batch([read.build(*args) for read, args, _ in said.values()])
        found = dict(zip(said, answers, strict=True))
        assert found == {name: expected for name, (_, _, expected) in said.items()}
        if line.requests:
            number = min(line.head, line.next_id - 1)
            last, view = line.requests[number], queue.request(number)
            assert (view.controller, view.shares, view.assets) == (
                last.controller, last.shares, last.worth,
            )  # fmt: skip
            assert view.claimable_assets == last.claimable

    @invariant()
    def conserved(self) -> None:
        """Assets = idle + staked + exiting + set aside; shares = balances + waiting."""
        books, line = self.model.vault, self.model.queue
        came, gone = books.paid_in + books.gained, books.lost + books.paid_out
        assert books.idle + books.staked + line.set_aside == came - gone
        held = sum(books.shares[holder] for holder in self.holders)
        assert books.supply == SEED + held + books.queued

    def everybody_leaves(self) -> None:
        """WQ-8: from wherever it stands, everyone asks for everything and gets it."""
        for which, position in enumerate(self.model.positions):
            position.value_at_risk = 0
            self._report(which)
            self.sync()
        self.everybody_asks()
        for which in range(2):
            self.bring_home(which)
            self.deallocate(which, 100)
            self.bring_home(which)
        self.reached["slashed to next to nothing"] += self.model.vault.total_assets < WAD
        while self.model.queue.head < self.model.queue.next_id:
            before = self.model.queue.head
            self.finalize(6)
            if self.model.queue.head == before:
                break
        # The virtual assets are not there: in a vault that is worth next to nothing so much can
        # stay unpaid.
        books, line = self.model.vault, self.model.queue
        unpaid = sum(request.worth for request in line.requests.values())
        due = books.price.assets_down(books.queued)
        assert min(unpaid, due) <= VIRTUAL
        for which in line.payable:
            self._claim(which, line.requests[which].controller)
        assert self.token.balanceOf(self.queue.address) == self.donated
        self.as_the_model_says()
        self.conserved()
        self.reached["everybody left"] += self.model.vault.queued == 0

    def everybody_asks(self) -> None:
        for who, holder in enumerate(self.holders):
            if self.model.vault.preview_redeem(self.model.vault.shares[holder]):
                self.request(who, 100, 1)

    def _claim(self, which: int, sender: str) -> None:
        had, amount = self.token.balanceOf(sender), self.model.queue.requests[which].claimable
        done = self._act(
            "claim",
            lambda: self.queue.claim(which, sender, sender=sender),
            lambda model: model.queue.claim(which, sender),
        )
        if done:
            assert self.token.balanceOf(sender) == had + amount

    def _act(
        self,
        what: str,
        send: Callable[[], Receipt],
        apply: Callable[[Model], object],
    ) -> Receipt | None:
        """Do it on the chain and in the model; both succeed, or both refuse for one reason."""
        trial = deepcopy(self.model)
        price, lost = trial.price, trial.vault.lost
        refused = ""
        try:
            apply(trial)
        except Refused as refusal:
            refused = str(refusal)
        if refused:
            with pytest.raises(Revert) as failure:
                send()
            assert failure.value.reason == refused
            self.reached[f"{what} refused: {refused}"] += 1
            return None
        receipt = send()
        assert receipt.timestamp == trial.clock.time
        self.model = trial
        # The rate falls by a loss only.
        assert trial.price >= price or trial.vault.lost > lost
        self.reached[what] += 1
        return receipt

    def _sender(self, which: int, stranger: int) -> str:
        """The controller, mostly."""
        return (
            self.actors.stranger if stranger == 0 else self.model.queue.requests[which].controller
        )

    def _pass(self, seconds: int) -> None:
        self.chain.advance(seconds)
        self.model.clock.advance(seconds=seconds)

    def _report(self, which: int) -> None:
        position, adapter = self.model.positions[which], self.adapters[which]
        adapter.set_value(position.staked, position.exiting)
        adapter.set_at_risk(position.value_at_risk)
        if position.open_exit is not None:
            adapter.set_exit(position.open_exit, position.exiting, position.exiting)


# Reached at least so often by the seed below, or the machine says nothing about them.
MUST_REACH = {
    "deposit": 50,
    "redeem": 10,
    "redeem refused: vault: not enough idle": 2,
    "request": 50,
    "request refused: queue: request too small": 1,
    "cancel": 5,
    "cancel for free": 2,
    "cancel at a fee": 2,
    "cancel refused: queue: not for this account": 2,
    "cancel refused: queue: nothing waits": 1,
    "finalize": 50,
    "filled": 30,
    "filled in part": 10,
    "live rate binds": 10,
    "rate at request binds": 10,
    "claim": 30,
    "claim refused: queue: nothing to claim": 5,
    "claim refused: queue: not for this account": 3,
    "allocate": 20,
    "allocate refused: vault: queue unfunded": 5,
    "deallocate": 10,
    "pull back": 3,
    "pull back refused: queue: not overdue": 1,
    "pull back refused: queue: nothing missing": 1,
    "pull back refused: queue: nothing waits": 1,
    "bring home": 10,
    "slash": 20,
    "slash seen": 10,
    "slash while someone waits": 10,
    "slash with assets set aside": 5,
    "gain": 10,
    "reward": 20,
    "donation": 10,
    "time": 20,
    "everybody left": 30,
}


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[Setup, Contract]]:
    with Anvil.start() as node:
        setup = build(Chain.connect(node.ipc))
        arguments = (setup.vault.address, PATIENCE, 0)
        queue = setup.chain.deploy(artifact("WithdrawalQueue"), *arguments)
        pocket = setup.chain.deploy(artifact("SidePocket"), setup.vault.address)
        setup.vault.set_exits(queue.address, pocket.address, sender=setup.actors.owner)
        for account in setup.chain.accounts[:8]:
            setup.vault.approve(queue.address, UNLIMITED, sender=account)
        # So that the adapters can send what they gain.
        for adapter in (setup.adapter, setup.second_adapter):
            setup.token.mint(adapter.address, 10**6 * WAD)
        yield setup, queue


def test_queue_machine__any_order__as_the_model_says(scene: tuple[Setup, Contract]) -> None:
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: QueueMachine(scene, reached),
        settings=settings(
            max_examples=60,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    short = {what: reached[what] for what, least in MUST_REACH.items() if reached[what] < least}
    assert not short, f"hardly reached: {short} of {dict(reached)}"
