"""The supply gate: contract against model in any order, and the bound on what the model lets in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.chain import Contract
from relever.model.supply_gate import HOUR, Gate
from relever.protocol import WAD, Deployment
from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, LST_RATE, PARAMETERS, VAULT_RATE, deploy_oracle

# The floor binds below a tenth of it; the feed is always fresh.
P = replace(PARAMETERS, gate_floor=1_000 * WAD, max_age=2**60)
START = 20_000 * WAD


@dataclass
class Pair:
    """Contract and model, driven alike."""

    scene: Deployment
    oracle: Contract
    rates: Contract
    model: Gate
    supply: int
    now: int
    done: Counter[str]

    def wait(self, seconds: int) -> None:
        self.scene.chain.advance(seconds)
        self.now += seconds

    def change(self, part: int) -> None:
        """The supply becomes so much of itself, WAD, and a bit."""
        self.supply = self.supply * part // WAD + 7
        self.rates.set_supply(self.supply)

    def poke(self, way: str) -> None:
        opened, _, _ = self.model.answer(self.supply, self.now)
        if way == "poke_price" and not opened:
            with reverts("oracle: supply burst"):
                self.oracle.poke_price()
            self.done["refused"] += 1
            return
        before = self.model
        getattr(self.oracle, way)()
        if way == "poke_liquidation_prices":
            return
        self.model = before.after(self.supply, self.now)
        moved = self.model.accepted - before.accepted
        self.done["risen" if moved > 0 else "fallen" if moved < 0 else "level"] += 1

    def follow(self, part: int, seconds: int) -> None:
        """A change that somebody sees, and that lasts until somebody looks again."""
        self.change(part)
        self.poke("poke")
        self.wait(seconds)
        self.poke("poke")

    def explain(self, part: int) -> None:
        most = self.supply * part // WAD
        before = self.model.accepts(self.supply, self.now)
        self.model = self.model.after(self.supply, self.now, most)
        receipt = self.oracle.accept_supply(most)
        assert [event.args for event in receipt.events] == [
            {"supply": self.supply, "accepted": self.model.accepted}
        ]
        self.done["explained" if self.model.accepted > before else "nothing to explain"] += 1

    def check(self) -> None:
        expected = self.model.answer(self.supply, self.now)
        assert self.oracle.supply_gate() == expected
        self.done["open" if expected[0] else "shut"] += 1
        if expected[0]:
            assert self.oracle.price() == FAIR
        else:
            with reverts("oracle: supply burst"):
                self.oracle.price()


seconds = st.one_of(
    st.sampled_from([0, 1, 12, HOUR - 1, HOUR, HOUR + 1, DAY]), st.integers(0, 2 * HOUR)
)
parts = st.one_of(
    st.sampled_from([0, WAD // 2, WAD, WAD * 11 // 10, WAD * 3 // 2, WAD * 2]),
    st.integers(WAD * 8 // 10, WAD * 14 // 10),
)
steps = st.one_of(
    st.tuples(st.just("wait"), seconds),
    st.tuples(st.just("change"), parts),
    st.tuples(st.just("poke"), st.sampled_from(["poke", "poke_price"])),
    st.tuples(st.just("poke"), st.sampled_from(["poke", "poke_price"])),
    st.tuples(st.just("poke"), st.just("poke_liquidation_prices")),
    st.tuples(st.just("follow"), parts, seconds),
    st.tuples(st.just("explain"), parts),
)


def test_supply_gate__random_histories__does_what_its_words_say(deployed: Deployment) -> None:
    chain, done = deployed.chain, Counter[str]()

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(history=st.lists(steps, min_size=10, max_size=30))
    def run(history: list[tuple[object, ...]]) -> None:
        with chain.isolated():
            rates = chain.deploy(artifact("SettableRates"), VAULT_RATE, LST_RATE)
            rates.set_supply(START)
            feed = chain.deploy(artifact("SettableFeed"), 18)
            now = chain.timestamp
            feed.set_round((1, FAIR // WAD, now, now, 1))
            oracle = deploy_oracle(chain, rates, feed, P)
            model = Gate(P.gate_floor, P.gate_share, P.gate_window, START, START, now)
            pair = Pair(deployed, oracle, rates, model, START, now, done)
            for name, *arguments in history:
                getattr(pair, str(name))(*arguments)
                pair.check()

    run()
    reached = {"risen", "fallen", "level", "refused", "explained", "nothing to explain"}
    assert {kind for kind, times in done.items() if times >= 5} == reached | {"open", "shut"}, done


gates = st.builds(
    lambda floor, share, window, supply: Gate(floor, share, window, supply, supply, 0),
    st.integers(WAD, 10**6 * WAD),
    st.one_of(st.sampled_from([0, WAD // 10, WAD]), st.integers(0, WAD)),
    st.one_of(st.sampled_from([HOUR, DAY, 365 * DAY]), st.integers(HOUR, 30 * DAY)),
    st.one_of(st.just(0), st.integers(0, 10**8 * WAD)),
)
supplies = st.one_of(
    st.just(0), st.sampled_from([10**k for k in range(16, 31)]), st.integers(0, 10**9 * WAD)
)
looks = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([0, 1, 12, HOUR]), st.integers(0, HOUR), st.integers(0, 3 * DAY)),
        supplies,
    ),
    max_size=30,
)
thorough = settings(max_examples=500, deadline=None, derandomize=True, database=None)


def test_supply_gate__any_supplies_and_looks__let_in_no_more_than_the_bound() -> None:
    """From every look to every later one within a window, whatever was forged, burnt and shown."""
    close = 0

    @thorough
    @given(gate=gates, history=looks)
    def run(gate: Gate, history: list[tuple[int, int]]) -> None:
        nonlocal close
        past = [gate]
        for seconds, supply in history:
            now = past[-1].time + seconds
            opened, level, capacity = past[-1].answer(supply, now)
            last = past[-1].after(supply, now)
            for before in past:
                elapsed = now - before.time
                if elapsed > gate.window:
                    continue
                most = gate.most_growth_up(before.accepted, elapsed)
                assert last.accepted - before.accepted <= most
                close += elapsed > 0 and (last.accepted - before.accepted) * 2 > most
                # So no supply is collateral that is more than that and one capacity above it.
                assert not opened or supply <= before.accepted + most + capacity
                assert opened or level > capacity
            past.append(last)

    run()
    # A bound that is never half reached bounds nothing.
    assert close > 100, close


def test_supply_gate__looked_at_often__lets_in_nearly_what_the_bound_says() -> None:
    for share in (0, WAD // 10, WAD // 2):
        for every in (12, 60, HOUR):
            gate = Gate(WAD, share, DAY, 10**6 * WAD, 10**9 * WAD, 0)
            most = gate.most_growth_up(gate.accepted, DAY)
            for now in range(every, DAY + 1, every):
                gate = gate.after(gate.seen, now)
            assert most * 8 // 10 < gate.accepted - 10**6 * WAD <= most


def test_supply_gate__any_number_of_looks_in_a_second__is_as_the_last() -> None:
    """Flash loans and reads in the middle of them change nothing that stays."""

    @thorough
    @given(gate=gates, history=looks, flashes=st.lists(supplies, max_size=5))
    def run(gate: Gate, history: list[tuple[int, int]], flashes: list[int]) -> None:
        other = gate
        for seconds, supply in history:
            now = gate.time + seconds
            # The first look of a second may be any; only what it had moved by then differs.
            gate = gate.after(supply, now)
            other = other.after(supply, now)
            for flash in flashes:
                other = other.after(flash, now)
            other = other.after(supply, now)
            if gate.accepted == gate.seen:
                # A look that finds nothing new is not noted; from here its time does not matter.
                other = replace(other, time=gate.time)
            assert other == gate

    run()


def test_supply_gate__flash_at_each_look_of_an_attacker__cannot_move_it_between_honest_ones() -> (
    None
):
    """An attacker who looks only while the supply is bent, among honest looks, gains nothing."""

    @thorough
    @given(gate=gates, gaps=st.lists(st.integers(1, DAY), max_size=20), bent=supplies)
    def run(gate: Gate, gaps: list[int], bent: int) -> None:
        true, start = gate.seen, gate.accepted
        for index, seconds in enumerate(gaps):
            gate = gate.after(true if index % 2 else bent, gate.time + seconds)
            assert gate.accepted == start

    run()


def test_supply_gate__constant_supply_looked_at_hourly__opens_and_stays_open() -> None:
    """Nothing shuts it for good: a capacity of level is gone within a window, however it arose."""

    @thorough
    @given(gate=gates, history=looks, supply=supplies)
    def run(gate: Gate, history: list[tuple[int, int]], supply: int) -> None:
        for seconds, shown in history:
            gate = gate.after(shown, gate.time + seconds)
        gate = gate.after(supply, gate.time)
        for _ in range(10):
            _, level, capacity = gate.answer(supply, gate.time)
            after = gate.after(supply, gate.time + HOUR)
            # Rounded down; the capacity is at least a whole share.
            leaked = capacity * HOUR // gate.window
            assert after.answer(supply, after.time)[1] <= max(0, level - leaked)
            gate = after

    run()
