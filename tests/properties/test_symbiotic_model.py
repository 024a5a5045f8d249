"""Symbiotic's real vaults behind the adapter against the exact integer model, in any order.

Before each action the model says what must happen: an amount, or the reason of a revert. After each
one, adapter and Symbiotic must say the same of themselves as the model, to the unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

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

from relever.baselayer import SymbioticVault as Place
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Receipt, Revert
from relever.model.clock import Clock
from relever.model.refused import Refused
from relever.model.rounding import WAD
from relever.model.symbiotic import SymbioticPosition, SymbioticVault
from tests.unit.adapters.conftest import (
    UNLIMITED,
    Symbio,
    deploy_symbiotic_adapter,
    deploy_vault,
)

HOLDING = 10**6 * WAD
OURS, OTHERS = "adapter", ("stranger", "lender")
STAKES = st.integers(WAD // 1000, 100 * WAD)
AMOUNTS = st.one_of(STAKES, STAKES, st.integers(0, 3), st.integers(1, 10**6))
LITTLE = st.one_of(st.integers(0, 3), st.integers(1, 10**6), st.integers(1, WAD))
PARTS = st.sampled_from([100, 99, 90, 75, 60, 50, 33, 25, 10, 7, 3, 1])
# What changes everything, or takes long.
RARE = st.sampled_from([*[False] * 9, True])


@dataclass(frozen=True)
class Scene:
    """By the kind of the slasher a position; the accounts that stake beside it."""

    positions: dict[str, Symbio]
    accounts: dict[str, str]


class State:
    """The model of all that takes part, and what the vault's address and the others hold."""

    def __init__(self, vault: SymbioticVault, held: dict[str, int]) -> None:
        self.clock, self.vault, self.held = vault.clock, vault, held
        self.position = SymbioticPosition(vault, OURS)
        # What the Symbiotic vault holds.
        self.balance = 0


class SymbioticMachine(RuleBasedStateMachine):
    """Amounts in units, parts in per cent."""

    def __init__(self, scene: Scene, reached: Counter[str]) -> None:
        super().__init__()
        self.scene, self.reached = scene, reached
        self.chain = scene.positions["veto"].chain
        self.start = self.chain.snapshot()

    @initialize(
        kind=st.sampled_from(["instant", "veto"]),
        first=STAKES,
        others=st.tuples(AMOUNTS, AMOUNTS),
    )
    def begin(self, kind: str, first: int, others: tuple[int, int]) -> None:
        self.symbio: Symbio = self.scene.positions[kind]
        self.symbiotic, self.place = self.symbio.world.symbiotic, self.symbio.place
        self.accounts = {
            "vault": self.symbio.vault.address,
            OURS: self.symbio.adapter.address,
            **self.scene.accounts,
        }
        self.epoch: int = self.place.vault.epochDuration()
        self.veto: int = self.place.slasher.vetoDuration() if kind == "veto" else 0
        clock = Clock(time=self.chain.timestamp)
        began = self.place.vault.epochDurationInit()
        vault = SymbioticVault(clock, began, self.epoch, self.veto or None)
        token = self.symbio.token
        held = {name: token.balanceOf(self.accounts[name]) for name in ("vault", *OTHERS)}
        self.state = State(vault, held)
        self.stake(first)
        for who, amount in zip(OTHERS, others, strict=True):
            self._other_deposits(who, amount, who)

    def teardown(self) -> None:
        try:
            if hasattr(self, "state"):
                self.everybody_leaves()
        finally:
            self.chain.revert(self.start)

    # The adapter

    @rule(amount=AMOUNTS)
    def stake(self, amount: int) -> None:
        adapter, vault = self.symbio.adapter, self.symbio.vault.address

        def apply(state: State) -> None:
            state.position.stake(amount)
            state.balance += amount

        self.symbio.token.transfer(adapter.address, amount, sender=vault)
        self.state.held["vault"] -= amount
        self._act("stake", lambda: adapter.stake(amount, sender=vault), apply)

    @rule(amount=LITTLE, part=PARTS, kind=st.sampled_from(["part", "little", "about all"]))
    def start_exit(self, amount: int, part: int, kind: str) -> None:
        staked = self.state.position.staked
        if not staked and part > 3:
            self.stake(amount * part)
        elif kind == "part":
            self._start_exit(staked * part // 100)
        else:
            self._start_exit(max(0, staked - part % 3 + 1) if kind == "about all" else amount)

    @precondition(lambda self: self.state.vault.buckets)
    @rule(pick=st.integers(0, 20), wait=st.booleans(), any_epoch=st.integers(0, 4))
    def finish_exit(self, pick: int, wait: bool, any_epoch: int) -> None:
        """Mostly what is open; also what was finished, what others made, and what never was."""
        ids = self.state.position.open_exits
        if not ids or any_epoch == 4:
            ids = [self.state.vault.epoch - 1, *sorted(self.state.vault.buckets)]
        exit_id = ids[pick % len(ids)]
        if wait:
            while self.state.vault.epoch <= exit_id:
                self._to_next_epoch(0)
        self._finish_exit(exit_id)

    @precondition(lambda self: self.state.position.staked)
    @rule(rare=RARE)
    def many_exits(self, rare: bool) -> None:
        """An exit in each of more epochs than may be open."""
        if rare:
            for _ in range(9):
                self._start_exit(1_000)
                self._to_next_epoch(0)

    # Others

    @rule(
        who=st.sampled_from(OTHERS),
        do=st.sampled_from(["deposit", "withdraw", "claim"]),
        amount=AMOUNTS,
        part=PARTS,
        gift=st.sampled_from([False, False, False, True]),
    )
    def others(self, who: str, do: str, amount: int, part: int, gift: bool) -> None:
        """What others do with their stake; rarely in the adapter's favour."""
        epochs = sorted(self.state.vault.buckets)
        if do == "deposit":
            self._other_deposits(who, amount, OURS if gift else who)
        elif do == "withdraw":
            worth = self.state.vault.active.worth(who)
            self._other_withdraws(who, worth * part // 100, OURS if gift else who)
        elif epochs:
            self._other_claims(who, epochs[amount % len(epochs)])

    # Slashes

    @rule(
        part=st.one_of(PARTS, st.just(100)),
        dust=st.sampled_from([0, 0, 0, 1, 2, 7]),
        when=st.sampled_from([*["just", "next epoch", "oldest"] * 3, "too old", "now"]),
        leaving=st.sampled_from([0, 100, 50, 20, 10, 1]),
        leaving_late=st.sampled_from([0, 0, 50, 1]),
        fresh=st.booleans(),
        then=st.sampled_from(["once", "once", "again", "veto", "leave"]),
    )
    def slash(
        self,
        part: int,
        dust: int,
        when: str,
        leaving: int,
        leaving_late: int,
        fresh: bool,
        then: str,
    ) -> None:
        """A part of the stake of now, soon, at once or asked for, with exits in between.

        In a fresh epoch nothing waits that does not mature, so that a slash can take all there is.
        """
        if fresh:
            self._to_next_epoch(0)
        if when == "next epoch":
            self._to_next_epoch(-600)
        captured, stake = self.state.clock.time, self.state.vault.active.amount
        if when != "now":
            self._pass(1)
        self._leave_in_part(leaving)
        if when == "next epoch":
            self._to_next_epoch(0)
        elif when in ("oldest", "too old"):
            self._pass(self.epoch - self.veto - (when == "oldest"))
        self._leave_in_part(leaving_late)
        amount, times = dust or stake * part // 100, 1 + (then == "again")
        if not self.veto:
            for _ in range(times):
                self._slash(amount, captured)
            return
        asked = [self._request(amount, captured) for _ in range(times)]
        self.as_the_model_says()
        last = len(self.state.vault.requests) - 1
        if not all(asked) or then == "leave":
            return
        if then == "veto":
            self._veto(last)
            return
        self._pass(self.veto)
        for index in range(last + 1 - times, last + 1):
            self._execute(index)

    @precondition(lambda self: self.state.vault.requests)
    @rule(pick=st.integers(0, 9), wait=st.sampled_from(["none", "too short", "just", "last"]))
    def execute(self, pick: int, wait: str) -> None:
        requests = self.state.vault.requests
        able = self.state.position.pending or requests
        index = requests.index(able[pick % len(able)])
        due = requests[index].requested + self.veto
        last = requests[index].captured + self.epoch
        until = {"none": 0, "too short": due - 1, "just": due, "last": last + pick % 2}[wait]
        self._pass(max(0, until - self.state.clock.time))
        self._execute(index)

    @precondition(lambda self: self.state.vault.requests)
    @rule(pick=st.integers(0, 9))
    def veto_a_request(self, pick: int) -> None:
        requests = self.state.vault.requests
        able = self.state.position.pending or requests
        self._veto(requests.index(able[pick % len(able)]))

    @precondition(lambda self: self.veto and self.state.vault.active.amount)
    @rule(rare=RARE, count=st.integers(31, 34))
    def many_requests(self, rare: bool, count: int) -> None:
        if rare:
            self._pass(1)
            for _ in range(count):
                self._request(1, self.state.clock.time - 1)
            self.reached["more requests than looked at"] += self.state.position.overrun

    @rule(seconds=st.sampled_from([1, 600, 1_200, 3_600]), until=st.integers(-2, 7))
    def time(self, seconds: int, until: int) -> None:
        """So long, or to around the first second of the next epoch."""
        self.reached["time"] += 1
        if until < 2:
            self._to_next_epoch(until)
        else:
            self._pass(seconds)

    # What must hold

    @invariant()
    def as_the_model_says(self) -> None:
        state, adapter, place = self.state, self.symbio.adapter, self.place.vault
        position, vault, token = state.position, state.vault, self.symbio.token
        said: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
            "staked": (adapter.staked, (), position.staked),
            "exiting": (adapter.exiting, (), position.exiting),
            "total": (adapter.total_assets, (), position.total_assets),
            "at risk": (adapter.value_at_risk, (), position.value_at_risk),
            "open exits": (adapter.open_exits, (), sorted(position.open_exits)),
            "epoch": (place.currentEpoch, (), vault.epoch),
            "stake": (place.activeStake, (), vault.active.amount),
            "shares": (place.activeShares, (), vault.active.shares),
            "held by Symbiotic": (token.balanceOf, (place.address,), state.balance),
        }
        for name, held in state.held.items():
            said[f"held by {name}"] = (token.balanceOf, (self.accounts[name],), held)
        for name in (OURS, *OTHERS):
            account = self.accounts[name]
            worth = vault.active.worth(name)
            said[f"stake of {name}"] = (place.activeBalanceOf, (account,), worth)
            for epoch in (vault.epoch, vault.epoch + 1):
                worth = vault.bucket(epoch).worth(name)
                said[f"{epoch} of {name}"] = (place.withdrawalsOf, (epoch, account), worth)
        for epoch in (vault.epoch, vault.epoch + 1):
            bucket = vault.bucket(epoch)
            said[f"bucket {epoch}"] = (place.withdrawals, (epoch,), bucket.amount)
            said[f"shares of {epoch}"] = (place.withdrawalShares, (epoch,), bucket.shares)
        answers = self.chain.read_batch([read.build(*args) for read, args, _ in said.values()])
        found = dict(zip(said, answers, strict=True))
        found["open exits"] = sorted(found["open exits"])
        assert found == {name: expected for name, (_, _, expected) in said.items()}

    @invariant()
    def backed(self) -> None:
        """The vault holds what it owes: the stake and all that is not claimed."""
        vault, names = self.state.vault, (OURS, *OTHERS)
        owed = sum(vault.active.worth(name) for name in names) + sum(
            bucket.worth(name)
            for epoch, bucket in vault.buckets.items()
            for name in names
            if (epoch, name) not in vault.claimed
        )
        assert owed <= self.state.balance
        # Exits that others made for the adapter count at risk before they count as exiting.
        position = self.state.position
        gifts = sum(
            vault.bucket(epoch).worth(OURS)
            for epoch in (vault.epoch, vault.epoch + 1)
            if epoch not in position.open_exits
        )
        assert position.value_at_risk <= position.total_assets + gifts

    def everybody_leaves(self) -> None:
        """From wherever it stands, everyone can take out what is theirs."""
        if len(self.state.position.open_exits) == 8:
            self._to_next_epoch(0)
            self._to_next_epoch(0)
            self._finish_exit(min(self.state.position.open_exits))
        if self.state.position.staked:
            self._start_exit(UNLIMITED)
        for who in OTHERS:
            if worth := self.state.vault.active.worth(who):
                self._other_withdraws(who, worth, who)
        self._to_next_epoch(0)
        self._to_next_epoch(0)
        vault, position = self.state.vault, self.state.position
        for epoch, bucket in sorted(vault.buckets.items()):
            unclaimed = [who for who in (OURS, *OTHERS) if (epoch, who) not in vault.claimed]
            for who in unclaimed:
                if who == OURS and (bucket.worth(OURS) or epoch in position.open_exits):
                    self._finish_exit(epoch)
                elif who != OURS and bucket.worth(who):
                    self._other_claims(who, epoch)
        self.as_the_model_says()
        assert self.state.position.exiting == 0
        # Shares that were worth nothing can be worth a unit when the others' leaving has rounded.
        assert self.state.position.staked <= 1
        self.reached["everybody left"] += 1

    # How

    def _act(
        self,
        what: str,
        send: Callable[[], Receipt],
        apply: Callable[[State], object],
    ) -> Receipt | None:
        """Do it on the chain and in the model; both succeed, or both refuse for one reason."""
        trial = deepcopy(self.state)
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
        self.state = trial
        self.reached[what] += 1
        return receipt

    def _start_exit(self, amount: int) -> None:
        merged = self.state.vault.epoch + 1 in self.state.position.open_exits
        found: list[int] = []
        before = self.state.vault.active.amount
        done = self._act(
            "exit",
            lambda: self.symbio.adapter.start_exit(amount, sender=self.symbio.vault.address),
            lambda state: found.append(state.position.start_exit(amount)),
        )
        if done:
            leaving = before - self.state.vault.active.amount
            assert done.events[-1].args == {"id": found[0], "amount": leaving}
            assert leaving <= amount
            self.reached["partial exit"] += self.state.position.staked > 0
            self.reached["merged exit"] += merged

    def _leave_in_part(self, part: int) -> None:
        if amount := self.state.position.staked * part // 100:
            self._start_exit(amount)

    def _finish_exit(self, exit_id: int) -> None:
        found: list[int] = []
        was_open = self.state.position.open_exits

        def apply(state: State) -> None:
            found.append(state.position.finish_exit(exit_id))
            state.held["vault"] += found[0]
            state.balance -= found[0]

        done = self._act(
            "finish",
            lambda: self.symbio.adapter.finish_exit(exit_id, sender=self.symbio.vault.address),
            apply,
        )
        if done:
            assert done.events[-1].args == {"id": exit_id, "amount": found[0]}
            self.reached["finish pays nothing"] += found[0] == 0
            self.reached["gift finished"] += exit_id not in was_open

    def _other_deposits(self, who: str, amount: int, staker: str) -> None:
        def apply(state: State) -> None:
            state.vault.deposit(staker, amount)
            state.held[who] -= amount
            state.balance += amount

        account, place = self.accounts[staker], self.place.vault
        done = self._act(
            "other deposit",
            lambda: place.deposit(account, amount, sender=self.accounts[who]),
            apply,
        )
        self.reached["gift of stake"] += bool(done) and staker == OURS

    def _other_withdraws(self, who: str, amount: int, claimer: str) -> None:
        account, place = self.accounts[claimer], self.place.vault
        done = self._act(
            "other exit",
            lambda: place.withdraw(account, amount, sender=self.accounts[who]),
            lambda state: state.vault.withdraw(who, amount, claimer),
        )
        self.reached["gift of an exit"] += bool(done) and claimer == OURS

    def _other_claims(self, who: str, epoch: int) -> None:
        def apply(state: State) -> None:
            amount = state.vault.claim(who, epoch)
            state.held[who] += amount
            state.balance -= amount

        account = self.accounts[who]
        self._act(
            "other claim", lambda: self.place.vault.claim(account, epoch, sender=account), apply
        )

    def _request(self, amount: int, captured: int) -> Receipt | None:
        arguments = (self.symbiotic.subnetwork, self.symbio.world.roles.operator, amount)
        avs = self.symbio.world.roles.avs
        return self._act(
            "request",
            lambda: self.place.slasher.requestSlash(*arguments, captured, b"", sender=avs),
            lambda state: state.vault.request_slash(amount, captured),
        )

    def _slash(self, amount: int, captured: int) -> None:
        def apply(state: State) -> None:
            state.balance -= state.position.slash(amount, captured)

        arguments = (self.symbiotic.subnetwork, self.symbio.world.roles.operator, amount)
        avs = self.symbio.world.roles.avs
        before = deepcopy(self.state.position)
        done = self._act(
            "slash",
            lambda: self.place.slasher.slash(*arguments, captured, b"", sender=avs),
            apply,
        )
        if done:
            self._count_slash(before, captured)

    def _execute(self, index: int) -> None:
        def apply(state: State) -> None:
            state.balance -= state.vault.execute_slash(index)

        before = deepcopy(self.state.position)
        done = self._act("execute", lambda: self.symbiotic.execute_slash(index), apply)
        if done:
            # Who left at the value less the risk has not escaped anything.
            position, least = self.state.position, before.total_assets - before.value_at_risk
            assert position.total_assets >= least
            assert position.total_assets - position.value_at_risk >= least
            self._count_slash(before, before.vault.requests[index].captured)

    def _veto(self, index: int) -> None:
        self._act(
            "veto",
            lambda: self.symbiotic.veto_slash(index),
            lambda state: state.vault.veto_slash(index),
        )

    def _count_slash(self, before: SymbioticPosition, captured: int) -> None:
        position, vault = self.state.position, self.state.vault
        self.reached["stake slashed"] += position.staked < before.staked
        self.reached["exit slashed"] += position.exiting < before.exiting
        self.reached["exit that had begun to mature slashed"] += vault.epoch_at(
            captured
        ) < vault.epoch and vault.bucket(vault.epoch).worth(OURS) < before.vault.bucket(
            vault.epoch
        ).worth(OURS)
        self.reached["full slash"] += before.vault.active.amount > 0 == vault.active.amount
        self.reached["exit fully slashed"] += before.exiting > 0 == position.exiting

    def _to_next_epoch(self, seconds: int) -> None:
        """Move time on to the next epoch's first second, or to so many later."""
        vault = self.state.vault
        start = vault.start + (vault.epoch + 1) * self.epoch
        self._pass(max(0, start + seconds - self.state.clock.time))

    def _pass(self, seconds: int) -> None:
        """Let time pass, on the chain and in the model."""
        self.chain.advance(seconds)
        self.state.clock.advance(seconds=seconds)


# Reached at least so often by the seed below, or the machine says nothing about them.
MUST_REACH = {
    "stake": 50,
    "other deposit": 30,
    "exit": 100,
    "partial exit": 50,
    "merged exit": 30,
    "other exit": 30,
    "gift of an exit": 1,
    "finish": 50,
    "finish refused: symbiotic: exit not matured": 1,
    "other claim": 20,
    "time": 10,
    "slash": 10,
    "request": 10,
    "execute": 10,
    "execute refused: SlashPeriodEnded()": 1,
    "stake slashed": 10,
    "exit slashed": 10,
    "exit that had begun to mature slashed": 5,
    "full slash": 2,
    "everybody left": 50,
}


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        roles, core = world.roles, world.core
        world.fund(roles.owner, wsteth=10 * WAD)
        vault: Contract = deploy_vault(world)
        world.chain.impersonate(vault.address)
        world.fund(roles.depositor, wsteth=HOLDING)
        core.wsteth.transfer(vault.address, HOLDING, sender=roles.depositor)
        accounts = {name: getattr(roles, name) for name in OTHERS}
        positions = {}
        for kind in ("instant", "veto"):
            place: Place = getattr(world.symbiotic, kind)
            adapter = deploy_symbiotic_adapter(world, vault, place.vault.address)
            positions[kind] = Symbio(world, vault, adapter, place)
            for account in accounts.values():
                core.wsteth.approve(place.vault.address, UNLIMITED, sender=account)
        for account in accounts.values():
            world.fund(account, wsteth=HOLDING)
        # Past the first epochs, so that there are some before.
        for _ in range(3):
            world.symbiotic.instant.pass_epoch()
        yield Scene(positions, accounts)


@pytest.fixture
def machine(scene: Scene) -> Iterator[SymbioticMachine]:
    """A stake of one whole token beside nobody's, in the vault with an instant slasher."""
    machine = SymbioticMachine(scene, Counter())
    with machine.chain.isolated():
        machine.begin("instant", WAD, (0, 0))
        yield machine


def test_symbiotic_model__full_slashes_and_stakes_in_turn__until_shares_overflow(
    machine: SymbioticMachine,
) -> None:
    """What is staked into an emptied vault gets as many shares for each unit as there were."""
    for _ in range(4):
        machine.slash(100, 0, "just", 0, 0, True, "once")
        assert machine.state.vault.active.amount == 0
        machine.stake(WAD)
        machine.as_the_model_says()
        machine.backed()
    assert machine.reached["stake"] == 4
    assert machine.reached["stake refused: MathOverflowedMulDiv()"] == 1


def test_symbiotic_model__rounding_meets_an_empty_bucket__falls_on_the_next(
    machine: SymbioticMachine,
) -> None:
    machine._to_next_epoch(-1)
    captured = machine.state.clock.time
    machine._to_next_epoch(0)
    machine._start_exit(WAD * 3 // 10)
    # Of 7 units 4.9 and 2.1 are due; what is left of 4 and 2 would be the empty bucket's.
    machine._slash(7, captured)
    machine.as_the_model_says()
    assert machine.state.position.exiting == WAD * 3 // 10 - 3


def test_symbiotic_model__more_requests_than_the_adapter_looks_at__all_is_at_risk(
    scene: Scene,
) -> None:
    machine = SymbioticMachine(scene, Counter())
    with machine.chain.isolated():
        machine.begin("veto", WAD, (WAD, 0))
        machine.many_requests(True, 32)
        machine.as_the_model_says()
        assert machine.state.position.value_at_risk == 16 + 32 * 8
        machine.many_requests(True, 1)
        machine.as_the_model_says()
        assert machine.state.position.value_at_risk == WAD
        # Also when none of them can be executed any more.
        for index in range(33):
            machine._veto(index)
        machine.as_the_model_says()
        assert machine.state.position.value_at_risk == WAD
        machine.stake(1)
        assert machine.reached["stake refused: symbiotic: slash pending"] == 1
        machine.everybody_leaves()


def test_symbiotic_machine__any_order__as_the_model_says(scene: Scene) -> None:
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: SymbioticMachine(scene, reached),
        settings=settings(
            max_examples=65,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    short = {what: reached[what] for what, least in MUST_REACH.items() if reached[what] < least}
    assert not short, f"hardly reached: {short} of {dict(reached)}"
