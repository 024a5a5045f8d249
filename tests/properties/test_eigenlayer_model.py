"""EigenLayer's real contracts behind the adapter against the exact integer model, in any order.

Before each action the model says what must happen: an amount, or the reason of a revert. After each
one, adapter and EigenLayer must say the same of themselves as the model, to the unit.
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

from relever.baselayer import World, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Receipt, Revert
from relever.model.clock import Clock
from relever.model.eigenlayer import EigenLayer, EigenLayerPosition, Operator, Staker
from relever.model.refused import Refused
from relever.model.rounding import WAD
from tests.unit.adapters.conftest import UNLIMITED, Eigen, deploy_adapter, deploy_vault

HOLDING = 10**6 * WAD
# What the second operator's operator set can slash of it.
ALLOCATED = WAD * 3 // 5
STAKES = st.integers(WAD // 1000, 100 * WAD)
AMOUNTS = st.one_of(STAKES, STAKES, st.integers(0, 3), st.integers(1, 10**6))
# What ends the adapter's life in EigenLayer, or takes long.
RARE = st.sampled_from([*[False] * 9, True])
LITTLE = st.one_of(st.integers(0, 3), st.integers(1, 10**6), st.integers(1, WAD))
PARTS = st.sampled_from([100, 99, 90, 75, 60, 50, 33, 25, 10, 7, 3, 1])
SLASHES = st.one_of(st.integers(1, WAD), st.sampled_from([1, WAD // 10, WAD // 3, WAD - 1]))
# Someone delegated to the same operator, and someone to none.
OTHERS = st.integers(0, 1)


@dataclass(frozen=True)
class Scene:
    """For each operator an adapter, and a neighbour who delegates to it; one who does not."""

    positions: list[Eigen]
    operators: list[str]
    neighbours: list[str]
    loner: str


class State:
    """The model of all that takes part."""

    def __init__(self, delay: int, allocated: int, held: list[int]) -> None:
        self.clock = Clock()
        self.eigenlayer = EigenLayer(self.clock, delay, operator=Operator(allocated))
        self.position = EigenLayerPosition(self.eigenlayer)
        self.others = [Staker(), Staker(delegated=False)]
        # What the vault's address and the others hold.
        self.held = held


class EigenLayerMachine(RuleBasedStateMachine):
    """Amounts in units, parts in per cent, slashes in WAD."""

    def __init__(self, scene: Scene, reached: Counter[str]) -> None:
        super().__init__()
        self.scene, self.reached = scene, reached
        self.chain = scene.positions[0].chain
        self.start = self.chain.snapshot()

    @initialize(which=st.integers(0, 1), first=STAKES, others=st.tuples(AMOUNTS, AMOUNTS))
    def begin(self, which: int, first: int, others: tuple[int, int]) -> None:
        self.eigen: Eigen = self.scene.positions[which]
        self.operator = self.scene.operators[which]
        self.accounts = [self.scene.neighbours[which], self.scene.loner]
        core = self.eigen.world.core
        self.delegation, self.manager = core.delegation_manager, core.strategy_manager
        self.strategy = core.wsteth_strategy
        self.delay: int = self.delegation.minWithdrawalDelayBlocks()
        held = [self.eigen.token.balanceOf(holder) for holder in self._holders()]
        self.state = State(self.delay, (WAD, ALLOCATED)[which], held)
        # EigenLayer's names of the queue's entries, of the adapter and of the others.
        self.roots: list[dict[int, bytes]] = [{}, {}, {}]
        self.stake(first)
        for who, amount in enumerate(others):
            self.other_deposits(who, amount)

    def teardown(self) -> None:
        try:
            if hasattr(self, "state"):
                self.everybody_leaves()
        finally:
            self.chain.revert(self.start)

    # The adapter

    @rule(amount=AMOUNTS)
    def stake(self, amount: int) -> None:
        adapter, vault = self.eigen.adapter, self.eigen.vault.address
        self.eigen.token.transfer(adapter.address, amount, sender=vault)
        self.state.held[0] -= amount
        self._act(
            "stake",
            lambda: adapter.stake(amount, sender=vault),
            lambda state: state.position.stake(amount),
        )

    @rule(amount=LITTLE, part=PARTS, kind=st.sampled_from(["part", "little", "about all"]))
    def start_exit(self, amount: int, part: int, kind: str) -> None:
        staked = self.state.position.staked
        if not staked and part > 3:
            self.stake(amount * part)
        elif kind == "part":
            self._start_exit(staked * part // 100)
        else:
            self._start_exit(max(0, staked - part % 3 + 1) if kind == "about all" else amount)

    @precondition(lambda self: self.state.position.staker.withdrawals)
    @rule(pick=st.integers(0, 20), wait=st.sampled_from(["none", "too short", "just", "long"]))
    def finish_exit(self, pick: int, wait: str) -> None:
        staker = self.state.position.staker
        number = list(staker.withdrawals)[pick % len(staker.withdrawals)]
        self._wait(staker, number, wait)
        self._finish_exit(number)

    @precondition(lambda self: self.state.position.staked)
    @rule(rare=RARE)
    def many_exits(self, rare: bool) -> None:
        if rare:
            for _ in range(17):
                self._start_exit(1_000)

    # EigenLayer

    @rule(
        part=SLASHES,
        all_of_it=RARE,
        leaving=st.sampled_from([0, 60, 40, 20, 10, 1]),
        wait=st.sampled_from(["none", "too short", "none", "just"]),
    )
    def slash(self, part: int, all_of_it: bool, leaving: int, wait: str) -> None:
        """In the queue the last block in which a slash counts is the one before it can finish."""
        part = WAD if all_of_it else part
        staker = self.state.position.staker
        if leaving and self.state.position.staked and not staker.withdrawals:
            self._start_exit(self.state.position.staked * leaving // 100)
            staker = self.state.position.staker
        if staker.withdrawals:
            self._wait(staker, max(staker.withdrawals), wait)
        position, magnitude = self.state.position, self.state.eigenlayer.operator.magnitude
        staked, queued = position.staked, position.exiting
        world = self.eigen.world
        arguments = (self.operator, 1, [self.strategy.address], [part], "")
        avs = world.roles.avs
        self._act(
            "slash",
            lambda: world.core.allocation_manager.slashOperator(avs, arguments, sender=avs),
            lambda state: state.position.slash(part),
        )
        position = self.state.position
        self.reached["stake slashed"] += position.staked < staked
        self.reached["exit slashed"] += position.exiting < queued
        if magnitude > 0 == self.state.eigenlayer.operator.magnitude:
            self.reached["full slash"] += 1
            self.reached["exits outlive a full slash"] += position.exiting > 0

    @rule(rare=RARE)
    def undelegate(self, rare: bool) -> None:
        if rare:
            done = self._act(
                "undelegate",
                lambda: self.delegation.undelegate(
                    self.eigen.adapter.address, sender=self.operator
                ),
                lambda state: state.eigenlayer.undelegate(state.position.staker),
            )
            if done:
                self._name(0)

    @rule(who=OTHERS, amount=AMOUNTS)
    def other_deposits(self, who: int, amount: int) -> None:
        token, account = self.eigen.token.address, self.accounts[who]

        def apply(state: State) -> None:
            state.eigenlayer.deposit(state.others[who], amount)
            state.held[who + 1] -= amount

        self._act(
            "other deposit",
            lambda: self.manager.depositIntoStrategy(
                self.strategy.address, token, amount, sender=account
            ),
            apply,
        )

    @rule(who=OTHERS, part=PARTS)
    def other_queues(self, who: int, part: int) -> None:
        shares = -(-self.state.others[who].deposit_shares * part // 100)
        if shares:
            self._other_queues(who, shares)

    def _other_queues(self, who: int, shares: int) -> None:
        account = self.accounts[who]
        done = self._act(
            "other exit",
            lambda: self.delegation.queueWithdrawals(
                [([self.strategy.address], [shares], account)], sender=account
            ),
            lambda state: state.eigenlayer.queue(state.others[who], shares),
        )
        if done:
            self._name(who + 1)

    @rule(who=OTHERS, pick=st.integers(0, 20), wait=st.sampled_from(["too short", "just"]))
    def other_completes(self, who: int, pick: int, wait: str) -> None:
        staker = self.state.others[who]
        if staker.withdrawals:
            number = list(staker.withdrawals)[pick % len(staker.withdrawals)]
            self._wait(staker, number, wait)
            self._other_completes(who, number)

    @precondition(lambda self: self.state.eigenlayer.strategy.burnable)
    @rule()
    def burn(self) -> None:
        self._act(
            "burn",
            lambda: self.manager.burnShares(self.strategy.address),
            lambda state: state.eigenlayer.burn(),
        )

    @rule(amount=AMOUNTS)
    def donate(self, amount: int) -> None:
        def apply(state: State) -> None:
            state.eigenlayer.donate(amount)
            state.held[2] -= amount

        self._act(
            "donation",
            lambda: self.eigen.token.transfer(
                self.strategy.address, amount, sender=self.scene.loner
            ),
            apply,
        )

    @precondition(lambda self: self.state.position.staker.withdrawals)
    @rule(blocks=st.sampled_from([1, 2, 24, 25, 49, 50, 51, 60]))
    def blocks_pass(self, blocks: int) -> None:
        self.reached["blocks"] += 1
        self.chain.mine(blocks)

    # What must hold

    @invariant()
    def as_the_model_says(self) -> None:
        state, adapter, core = self.state, self.eigen.adapter, self.eigen.world.core
        state.clock.block = self.chain.block_number
        position, eigenlayer = state.position, state.eigenlayer
        strategy, operator = eigenlayer.strategy, eigenlayer.operator
        place, token = self.strategy.address, self.eigen.token
        allocations = core.allocation_manager
        said: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
            "staked": (adapter.staked, (), position.staked),
            "exiting": (adapter.exiting, (), position.exiting),
            "total": (adapter.total_assets, (), position.total_assets),
            "at risk": (adapter.value_at_risk, (), position.value_at_risk),
            "strategy's shares": (self.strategy.totalShares, (), strategy.shares),
            "strategy's tokens": (token.balanceOf, (place,), strategy.balance),
            "burnable": (self.manager.getBurnableShares, (place,), strategy.burnable),
            "operator's shares": (
                self.delegation.operatorShares, (self.operator, place), operator.shares
            ),
            "magnitude": (allocations.getMaxMagnitude, (self.operator, place), operator.magnitude),
        }  # fmt: skip
        for who, held in zip(self._holders(), state.held, strict=True):
            said[f"held by {who}"] = (token.balanceOf, (who,), held)
        stakers = [adapter.address, *self.accounts]
        for who, staker in zip(stakers, (position.staker, *state.others), strict=True):
            said[f"shares of {who}"] = (
                self.delegation.getWithdrawableShares,
                (who, [place]),
                ([eigenlayer.withdrawable(staker)], [staker.deposit_shares]),
            )
            said[f"factor of {who}"] = (
                self.delegation.depositScalingFactor, (who, place), staker.scaling_factor
            )  # fmt: skip
        answers = self.chain.read_batch([read.build(*args) for read, args, _ in said.values()])
        found = {name: _plain(answer) for name, answer in zip(said, answers, strict=True)}
        assert found == {name: expected for name, (_, _, expected) in said.items()}

    @invariant()
    def backed(self) -> None:
        """SLASH-1: the operator's shares cover its stakers', the strategy's cover everyone's."""
        eigenlayer, stakers = self.state.eigenlayer, self._stakers()
        delegated = sum(eigenlayer.withdrawable(s) for s in stakers if s.delegated)
        assert eigenlayer.operator.shares >= delegated
        queued = sum(eigenlayer.queued_shares(w) for s in stakers for w in s.withdrawals.values())
        everything = sum(map(eigenlayer.withdrawable, stakers)) + queued
        assert eigenlayer.strategy.shares >= everything + eigenlayer.strategy.burnable

    def everybody_leaves(self) -> None:
        """From wherever it stands, everyone can take out what is theirs."""
        if self.state.position.staked:
            self._make_room()
            self._start_exit(UNLIMITED)
        for who, staker in enumerate(self.state.others):
            if staker.deposit_shares:
                self.other_queues(who, 100)
        self.chain.mine(self.delay)
        for number in list(self.state.position.staker.withdrawals):
            self._finish_exit(number)
        for who in range(2):
            for number in list(self.state.others[who].withdrawals):
                self._other_completes(who, number)
        self.burn()
        self.as_the_model_says()
        assert self.state.position.total_assets == 0
        assert not any(staker.withdrawals for staker in self._stakers())
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
        trial.clock.block = self.chain.block_number + 1
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
        assert receipt.block_number == trial.clock.block
        self.state = trial
        self.reached[what] += 1
        return receipt

    def _start_exit(self, amount: int) -> None:
        vault = self.eigen.vault.address
        done = self._act(
            "exit",
            lambda: self.eigen.adapter.start_exit(amount, sender=vault),
            lambda state: state.position.start_exit(amount),
        )
        if done:
            exit_id = self._name(0)
            event = done.events[-1]
            assert event.args["id"] == exit_id
            (last,) = list(self.state.position.staker.withdrawals.values())[-1:]
            eigenlayer = self.state.eigenlayer
            leaving = eigenlayer.strategy.worth(eigenlayer.queued_shares(last))
            assert event.args["amount"] == leaving <= amount
            self.reached["partial exit"] += self.state.position.staked > 0

    def _finish_exit(self, number: int) -> None:
        exit_id = int.from_bytes(self.roots[0][number], "big")
        found: list[int] = []

        def apply(state: State) -> None:
            found.append(state.position.finish_exit(number))
            state.held[0] += found[0]

        worth = self.state.position.exiting
        done = self._act(
            "finish",
            lambda: self.eigen.adapter.finish_exit(exit_id, sender=self.eigen.vault.address),
            apply,
        )
        if done:
            # The exits together were worth what was paid and what stays, but for a unit.
            assert done.events[-1].args["amount"] == found[0]
            assert abs(self.state.position.exiting + found[0] - worth) <= 1
            self.reached["finish pays nothing"] += found[0] == 0
            self.reached["forced exit finished"] += not self.state.position.staker.delegated

    def _other_completes(self, who: int, number: int) -> None:
        account, token = self.accounts[who], self.eigen.token.address
        withdrawal, _ = self.delegation.getQueuedWithdrawal(self.roots[who + 1][number])

        def apply(state: State) -> None:
            state.held[who + 1] += state.eigenlayer.complete(state.others[who], number)

        self._act(
            "other finish",
            lambda: self.delegation.completeQueuedWithdrawal(
                tuple(withdrawal), [token], True, sender=account
            ),
            apply,
        )

    def _make_room(self) -> None:
        """So that one more exit can be started."""
        if len(self.state.position.staker.withdrawals) == 16:
            self.chain.mine(self.delay + 1)
            self._finish_exit(next(iter(self.state.position.staker.withdrawals)))

    def _wait(self, staker: Staker, number: int, wait: str) -> None:
        """Mine until the next block is the last one too early, or the first one late enough."""
        last = staker.withdrawals[number].start_block + self.delay
        early = last - 1 - self.chain.block_number
        blocks = {"none": 0, "too short": early, "just": early + 1, "long": early + 30}[wait]
        self.chain.mine(max(0, blocks))

    def _name(self, who: int) -> int | None:
        """Learn EigenLayer's name of a staker's new entry of the queue; returns it as an id."""
        account = [self.eigen.adapter.address, *self.accounts][who]
        staker, names = self._stakers()[who], self.roots[who]
        new = set(self.delegation.getQueuedWithdrawalRoots(account)) - set(names.values())
        if not new:
            return None
        (root,) = new
        names[staker.count - 1] = root
        return int.from_bytes(root, "big")

    def _holders(self) -> list[str]:
        return [self.eigen.vault.address, *self.accounts]

    def _stakers(self) -> list[Staker]:
        return [self.state.position.staker, *self.state.others]


def _plain(answer: Any) -> Any:
    return tuple(list(part) for part in answer) if isinstance(answer, tuple) else answer


# Reached at least so often by the seed below, or the machine says nothing about them.
MUST_REACH = {
    "stake": 30,
    "other deposit": 30,
    "donation": 30,
    "exit": 30,
    "partial exit": 10,
    "exit refused: eigen: exit too small": 1,
    "other exit": 30,
    "finish": 30,
    "finish refused: WithdrawalDelayNotElapsed()": 1,
    "other finish": 30,
    "other finish refused: WithdrawalDelayNotElapsed()": 1,
    "burn": 10,
    "slash": 20,
    "stake slashed": 10,
    "exit slashed": 5,
    "everybody left": 40,
}


def second_operator(world: World, account: str) -> None:
    """Register an account as an operator that puts a part of its magnitude behind the AVS."""
    allocations, avs = world.core.allocation_manager, world.roles.avs
    world.core.delegation_manager.registerAsOperator(
        "0x0000000000000000000000000000000000000000", 0, "", sender=account
    )
    allocations.registerForOperatorSets(account, (avs, [1], b""), sender=account)
    world.chain.mine(allocations.ALLOCATION_CONFIGURATION_DELAY() + 1)
    strategies = [world.core.wsteth_strategy.address]
    allocations.modifyAllocations(account, [((avs, 1), strategies, [ALLOCATED])], sender=account)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        roles, core, chain = world.roles, world.core, world.chain
        world.fund(roles.owner, wsteth=10 * WAD)
        vault: Contract = deploy_vault(world)
        chain.impersonate(vault.address)
        operators = [roles.operator, roles.lender]
        second_operator(world, roles.lender)
        adapters = [deploy_adapter(world, vault, operator) for operator in operators]
        neighbours, loner = [roles.stranger, roles.borrower], roles.keeper
        for account in (roles.depositor, *neighbours, loner):
            world.fund(account, wsteth=HOLDING)
            core.wsteth.approve(core.strategy_manager.address, UNLIMITED, sender=account)
        core.wsteth.transfer(vault.address, HOLDING, sender=roles.depositor)
        for account, operator in zip(neighbours, operators, strict=True):
            nothing = ((b"", 0), b"\0" * 32)
            core.delegation_manager.delegateTo(operator, *nothing, sender=account)
        positions = [Eigen(world, vault, adapter) for adapter in adapters]
        yield Scene(positions, operators, neighbours, loner)


@pytest.fixture
def machine(scene: Scene) -> Iterator[EigenLayerMachine]:
    """A stake of a hundred whole tokens and one unit, beside others' smaller ones."""
    machine = EigenLayerMachine(scene, Counter())
    with machine.chain.isolated():
        machine.begin(0, 100 * WAD + 1, (WAD, 7))
        yield machine


def test_eigenlayer_model__slashed_to_nothing__only_what_had_matured_is_left(
    machine: EigenLayerMachine,
) -> None:
    machine.slash(WAD // 3, False, 50, "none")
    machine.as_the_model_says()
    matured = machine.state.position.exiting
    # The last block in which a slash counts in the queue, and the first in which none does.
    machine.slash(1, False, 0, "too short")
    assert machine.reached["exit slashed"] == 2
    machine.as_the_model_says()
    machine.slash(0, True, 0, "just")
    assert machine.reached["full slash"] == 1
    machine.as_the_model_says()
    machine.backed()
    assert 0 < matured - machine.state.position.exiting <= 100
    assert machine.state.position.staked == 0
    machine.start_exit(1, 1, "little")
    machine.stake(WAD)
    assert machine.reached["exit refused: eigen: nothing staked"] == 1
    assert machine.reached["stake refused: eigen: operator fully slashed"] == 1
    machine.everybody_leaves()


def test_eigenlayer_model__thrown_out__forced_exit_is_slashed_and_paid(
    machine: EigenLayerMachine,
) -> None:
    machine.many_exits(True)
    assert machine.reached["exit refused: eigen: too many open exits"] == 1
    machine.undelegate(True)
    machine.as_the_model_says()
    assert len(machine.state.position.staker.withdrawals) == 17
    machine.slash(WAD // 7, False, 0, "none")
    machine.as_the_model_says()
    machine.stake(WAD)
    assert machine.reached["stake refused: eigen: undelegated"] == 1
    machine.undelegate(True)
    assert machine.reached["undelegate refused: NotActivelyDelegated()"] == 1
    machine.everybody_leaves()
    assert machine.reached["forced exit finished"] == 17


def test_eigenlayer_machine__any_order__as_the_model_says(scene: Scene) -> None:
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: EigenLayerMachine(scene, reached),
        settings=settings(
            max_examples=45,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(reached))
    short = {what: reached[what] for what, least in MUST_REACH.items() if reached[what] < least}
    assert not short, f"hardly reached: {short} of {dict(reached)}"


def test_eigenlayer_model__more_asked_for_than_there_is__the_operator_is_asked_before_the_staker(
    machine: EigenLayerMachine,
) -> None:
    neighbour, loner = 0, 1
    has = machine.state.others[neighbour].deposit_shares
    machine._other_queues(neighbour, has + 1)
    assert machine.reached["other exit refused: SharesAmountTooHigh()"] == 1
    machine._other_queues(neighbour, machine.state.eigenlayer.operator.shares + 1)
    assert machine.reached["other exit refused: panic 0x11"] == 1
    # Nobody's operator has nothing to run out of.
    machine._other_queues(loner, HOLDING)
    assert machine.reached["other exit refused: SharesAmountTooHigh()"] == 2
    machine._other_queues(neighbour, 0)
    assert machine.reached["other exit refused: SharesAmountZero()"] == 1
