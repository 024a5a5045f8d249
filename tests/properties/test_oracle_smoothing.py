"""The oracle against a model of its words: cap, smoothing, checkpoints, over random histories."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.chain import Contract, Revert
from relever.protocol import WAD, Deployment
from tests.unit.oracle.conftest import (
    DAY,
    FAIR,
    LST_RATE,
    PARAMETERS,
    VAULT_RATE,
    YEAR,
    deploy_oracle,
)

P = PARAMETERS


@dataclass
class Model:
    """What the docstrings say, in Python's integers."""

    now: int
    rate: int = VAULT_RATE
    live_rate: int = VAULT_RATE
    answer: int = FAIR // WAD
    answered_at: int = 0
    discount: int = 0
    armed_at: int = 0
    base: int = FAIR
    based_at: int = 0
    proposed: int = 0
    proposed_at: int = 0

    @property
    def cap(self) -> int:
        return self.base + self.base * P.max_growth * (self.now - self.based_at) // (WAD * YEAR)

    @property
    def fundamental(self) -> int:
        return min(self.rate * LST_RATE, self.cap)

    @property
    def usable(self) -> bool:
        fresh = 0 <= self.now - self.answered_at <= P.max_age
        return fresh and P.min_answer <= self.answer * WAD <= P.max_answer

    @property
    def price(self) -> int | None:
        if not self.usable:
            return None
        return min(self.answer * WAD, self.live_rate * LST_RATE, self.fundamental)

    def smoothed(self) -> tuple[int, int]:
        """Discount and arming time that a poke leaves."""
        if not self.usable:
            return self.discount, self.armed_at
        gap = max(0, self.fundamental - self.answer * WAD)
        raw = gap * WAD // self.fundamental
        if raw <= self.discount:
            return raw, 0
        waited = min(self.now - self.armed_at, P.max_gap) if self.armed_at else 0
        return min(raw, self.discount + P.discount_speed * waited), self.now

    def liquidation_prices(self) -> tuple[int, int, bool]:
        discount, _ = self.smoothed()
        return self.fundamental, self.fundamental * (WAD - discount) // WAD, self.usable


@dataclass
class Pair:
    """Contract and model, driven alike."""

    scene: Deployment
    oracle: Contract
    rates: Contract
    feed: Contract
    model: Model
    done: Counter[str]

    def wait(self, seconds: int) -> None:
        self.scene.chain.advance(seconds)
        self.model.now += seconds

    def answer(self, discount: int, age: int) -> None:
        model = self.model
        model.answer = model.fundamental * (WAD - discount) // WAD // WAD
        model.answered_at = model.now - age
        at = model.answered_at
        self.feed.set_round((1, model.answer, at, at, 1))

    def move_rate(self, change: int, unbooked: int) -> None:
        model = self.model
        model.rate = model.rate * (WAD + change) // WAD
        model.live_rate = model.rate * (WAD - unbooked) // WAD
        self.rates.set_rate(model.rate)
        self.rates.set_live_rate(model.live_rate)

    def poke(self, way: str) -> None:
        model = self.model
        before = model.discount
        expected, armed = model.smoothed()
        if way == "poke_price" and not model.usable:
            with pytest.raises(Revert):
                self.oracle.poke_price()
            self.done["refused"] += 1
            return
        receipt = getattr(self.oracle, way)()
        model.discount, model.armed_at = expected, armed
        told = [event.args["discount"] for event in receipt.events]
        assert told == ([expected] if expected != before else [])
        self.done[self.kind(before, expected, armed)] += 1

    def kind(self, before: int, after: int, armed: int) -> str:
        """What a poke did."""
        if not self.model.usable:
            return "unusable"
        if after != before:
            return "deepened" if after > before else "recovered"
        return "armed" if armed else "level"

    def check(self) -> None:
        """ORA-1, ORA-2 and ORA-4 of the invariant catalogue, after every step."""
        oracle, model = self.oracle, self.model
        reads = [oracle.liquidation_prices, oracle.discount, oracle.armed_at, oracle.growth_cap]
        prices, discount, armed, cap = self.scene.chain.read_batch([r.build() for r in reads])
        assert tuple(prices) == model.liquidation_prices()
        assert (discount, armed, cap) == (model.discount, model.armed_at, model.cap)
        if model.price is None:
            with pytest.raises(Revert) as failure:
                oracle.price()
            assert failure.value.reason in ("oracle: stale feed", "oracle: answer out of bounds")
        else:
            assert oracle.price() == model.price <= prices[0]


SHORT = [0, 1, 59, P.max_gap - 1, P.max_gap, P.max_gap + 1]
LONG = [P.max_age, P.max_age + 1, 3 * DAY]
WAYS = ["poke", "poke", "poke_price", "poke_liquidation_prices"]
# Mostly what a live market does; now and then what breaks it.
waits = st.tuples(
    st.just("wait"),
    st.one_of(st.sampled_from(SHORT), st.integers(0, 2 * P.max_gap), st.sampled_from(SHORT + LONG)),
)
answers = st.tuples(
    st.just("answer"),
    st.one_of(st.sampled_from([0, 1, 10**15, 10**16, 10**17]), st.integers(-(10**17), 4 * 10**17)),
    st.sampled_from([0] * 10 + [1, P.max_age, P.max_age + 1, -1]),
)
rates = st.tuples(
    st.just("move_rate"), st.integers(-(10**17), 5 * 10**16), st.sampled_from([0, 0, 10**16])
)
pokes = st.tuples(st.just("poke"), st.sampled_from(WAYS))
steps = st.one_of(
    waits, pokes, st.sampled_from([waits, pokes, answers, rates]).flatmap(lambda s: s)
)


def test_oracle__random_histories__does_what_its_words_say(deployed: Deployment) -> None:
    chain, done = deployed.chain, Counter[str]()

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(history=st.lists(steps, min_size=10, max_size=24))
    def run(history: list[tuple[object, ...]]) -> None:
        with chain.isolated():
            rates = chain.deploy(artifact("SettableRates"), VAULT_RATE, LST_RATE)
            feed = chain.deploy(artifact("SettableFeed"), 18)
            oracle = deploy_oracle(chain, rates, feed)
            now = chain.timestamp
            pair = Pair(deployed, oracle, rates, feed, Model(now, based_at=now), done)
            pair.answer(10**17, 0)
            for name, *arguments in history:
                getattr(pair, str(name))(*arguments)
                pair.check()

    run()
    # A campaign that never deepens a discount proves nothing about deepening it.
    reached = {"armed", "deepened", "level", "recovered", "refused", "unusable"}
    assert {kind for kind, times in done.items() if times >= 5} == reached, done
