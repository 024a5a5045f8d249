"""The oracle against the exact integer model, in any order: to the unit, after every step.

Before each action the model says what must happen: an answer, or the reason of a revert, and what
is logged. After each one the oracle must say the same of itself as the model: everything it stores,
and every answer it gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
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

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Event, Revert
from relever.model.clock import Clock
from relever.model.oracle import (
    DEAD_TIME,
    FEED_DELAY,
    ROLLBACK_WINDOW,
    Checkpoint,
    Feed,
    Oracle,
    Reading,
    Terms,
    Vault,
)
from relever.model.refused import Refused
from relever.model.supply_gate import Gate
from relever.protocol import NOBODY, WAD
from tests.unit.oracle.conftest import (
    DAY,
    FAIR,
    LST_RATE,
    PARAMETERS,
    VAULT_RATE,
    deploy_oracle,
)

# 6 % an hour, so that a few pokes make a discount deep, and a day until it lasts.
TERMS = replace(PARAMETERS, discount_speed=WAD * 6 // 100 // 3_600, lasting_time=DAY)
GRACE = 3_600
GAP, HOUR = TERMS.max_gap, 3_600
DEEP = WAD // 10
SUPPLY = 20_000 * WAD
MAX_INT = 2**255 - 1

SHORT = [0, 1, 59, GAP - 1, GAP, GAP + 1, 2 * GAP]
WAITS = st.one_of(st.sampled_from(SHORT), st.integers(0, 2 * GAP), st.sampled_from([*SHORT, DAY]))
DISCOUNTS = st.one_of(
    st.sampled_from([0, 1, 10**15, WAD // 20, WAD // 20 - 1, DEEP, 2 * DEEP]),
    st.integers(-DEEP, 5 * DEEP),
)
AGES = st.sampled_from([0] * 8 + [1, TERMS.max_age, TERMS.max_age + 1, -1])
ODD_ANSWERS = st.sampled_from([0, -1, 1, MAX_INT, -MAX_INT - 1])
WAYS = st.sampled_from(["poke", "poke", "poke_price", "poke_liquidation_prices"])
ROLES = st.sampled_from(["owner", "owner", "guardian", "stranger"])
PARTS = st.integers(WAD * 9 // 10, WAD * 105 // 100)
# What breaks everything else when it happens often.
RARE = st.sampled_from([*[False] * 4, True])


@dataclass(frozen=True)
class Scene:
    """Doubles on a chain, with an oracle over them on an L1 and another on an L2."""

    chain: Chain
    rates: Contract
    feeds: dict[str, Contract]
    sequencer: Contract
    oracles: list[Contract]
    roles: dict[str, str]


class State:
    """The model of all that takes part."""

    def __init__(self, scene: Scene, on_l2: bool) -> None:
        now = scene.chain.timestamp
        decimals = [feed.decimals() for feed in scene.feeds.values()]
        self.feeds = [Feed(*pair) for pair in zip(scene.feeds, decimals, strict=True)]
        self.sequencer = Feed("sequencer", 0, started_at=now)
        shared = {name: getattr(TERMS, name) for name in Terms.__dataclass_fields__}
        terms = Terms(**shared | {"sequencer_grace": GRACE if on_l2 else 0})
        gate = Gate(TERMS.gate_floor, TERMS.gate_share, TERMS.gate_window, SUPPLY, SUPPLY, now)
        self.oracle = Oracle(
            Clock(time=now),
            terms,
            Vault(VAULT_RATE, VAULT_RATE, LST_RATE, supply=SUPPLY),
            self.feeds[0],
            gate,
            sequencer=self.sequencer if on_l2 else None,
            checkpoint=Checkpoint(FAIR, now),
        )


class OracleMachine(RuleBasedStateMachine):
    """Times in seconds, discounts and parts in WAD."""

    def __init__(self, scene: Scene, reached: Counter[str]) -> None:
        super().__init__()
        self.scene, self.reached = scene, reached
        self.chain = scene.chain
        self.start = self.chain.snapshot()

    @initialize(on_l2=st.booleans())
    def begin(self, on_l2: bool) -> None:
        self.contract: Contract = self.scene.oracles[on_l2]
        self.state = State(self.scene, on_l2)
        self._set_round(self.state.sequencer)
        if on_l2:
            self._wait(GRACE + 1)
        for which in range(len(self.state.feeds)):
            self._answer(which, FAIR)

    def teardown(self) -> None:
        try:
            if hasattr(self, "state"):
                self.everything_heals()
        finally:
            self.chain.revert(self.start)

    @property
    def model(self) -> Oracle:
        return self.state.oracle

    # Time, rates and feeds

    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self._wait(seconds)

    @rule(which=st.integers(0, 2), discount=DISCOUNTS, age=AGES)
    def answer(self, which: int, discount: int, age: int) -> None:
        """Mostly the feed in use."""
        number = self.state.feeds.index(self.model.feed) if which == 0 else which - 1
        self._answer(number, self.model.fundamental * (WAD - discount) // WAD, age)

    @rule(word=ODD_ANSWERS, broken=st.booleans(), rare=RARE)
    def rubbish(self, word: int, broken: bool, rare: bool) -> None:
        if rare:
            feed = self.model.feed
            feed.answer, feed.answers = word, not broken
            self._set_round(feed)

    @precondition(lambda self: self.model.sequencer)
    @rule(
        up=st.sampled_from([0, 0, 0, 0, 1]),
        since=st.sampled_from([0, GRACE, GRACE + 1, DAY, -1]),
        broken=RARE,
        rare=RARE,
    )
    def sequencer_changes(self, up: int, since: int, broken: bool, rare: bool) -> None:
        status = self.state.sequencer
        status.answer, status.started_at = up, self.model.clock.time - since
        status.answers = not (broken and rare)
        self._set_round(status)

    @precondition(lambda self: self.model.sequencer_fault)
    @rule()
    def sequencer_recovers(self) -> None:
        """Down or without a round for ever, it would hide everything else."""
        status = self.state.sequencer
        status.answer, status.answers = 0, True
        status.started_at = self.model.clock.time - GRACE - 1
        self._set_round(status)

    @rule(part=PARTS, unbooked=st.sampled_from([WAD, WAD, WAD * 99 // 100]))
    def rates_move(self, part: int, unbooked: int) -> None:
        rate = self.model.vault.rate * part // WAD
        # An LRT that fell without end would leave the bounds of every answer.
        self._set_rate(rate if WAD // 2 < rate < 2 * WAD else VAULT_RATE, unbooked)

    @rule(
        part=st.sampled_from([WAD, WAD, WAD * 9 // 10, WAD * 105 // 100, WAD * 115 // 100]),
        back=st.sampled_from([0, 0, 77 * WAD]),
        missing=st.sampled_from([0, 0, 0, 0, 0, 1]),
        unreadable=RARE,
    )
    def vault_changes(self, part: int, back: int, missing: int, unreadable: bool) -> None:
        self._set_vault(self.model.vault.supply * part // WAD + 7, back, missing, unreadable)

    # Pokes

    @rule(way=WAYS)
    def poke(self, way: str) -> None:
        self._poke(way)

    @rule(discount=st.sampled_from([DEEP, DEEP, 2 * DEEP, WAD // 20]), hours=st.integers(2, 30))
    def press(self, discount: int, hours: int) -> None:
        """The market says a discount for hours, and is poked when that counts most."""
        for _ in range(hours):
            self._wait(GAP)
            self._answer_in_use(self.model.fundamental * (WAD - discount) // WAD)
            self._poke("poke")

    @rule(wait=st.sampled_from([0, 1, GAP]), deeper=st.sampled_from([0, 1, 10**16]), way=WAYS)
    def follow(self, wait: int, deeper: int, way: str) -> None:
        """Two pokes that see one discount, a little deeper than the smoothed one."""
        raw = min(WAD // 2, self.model.discount.wad + deeper)
        for seconds in (0, wait):
            self._wait(seconds)
            self._answer_in_use(self.model.fundamental * (WAD - raw) // WAD)
            self._poke(way)

    @rule(
        hours=st.sampled_from([1, 3, 12]),
        kind=st.sampled_from(["silent", "zero", "stale"]),
        alive=st.sampled_from([True, True, False]),
    )
    def feed_dies(self, hours: int, kind: str, alive: bool) -> None:
        """Found dead for hours; alive at the end, or not."""
        feed = self.model.feed
        feed.answers = kind != "silent"
        feed.answer = 0 if kind == "zero" else feed.answer
        feed.updated_at = 0 if kind == "stale" else feed.updated_at
        self._set_round(feed)
        for _ in range(hours):
            self._poke("poke_liquidation_prices")
            self._wait(HOUR)
        self._poke("poke")
        if alive:
            self._answer_in_use(self.model.fundamental)
            self._poke("poke")

    @rule(part=st.sampled_from([0, WAD // 2, WAD, 2 * WAD]), who=ROLES)
    def accept_supply(self, part: int, who: str) -> None:
        most = self.model.vault.supply * part // WAD
        self._act(
            "accept supply",
            lambda oracle, sender: oracle.accept_supply(most, sender=sender),
            lambda state: state.oracle.accept_supply(who, most),
            who,
        )

    # Checkpoints

    @rule(
        wait=st.sampled_from([None, 0, DAY - 1, DAY, DAY, 2 * DAY - 1, 2 * DAY]),
        dip=st.sampled_from([0, 0, 0, DEEP]),
    )
    def checkpoint(self, wait: int | None, dip: int) -> None:
        """Propose, perhaps in a dip; promote after a while, or only later."""
        before = self.model.vault.rate
        self._set_rate(before * (WAD - dip) // WAD)
        self._act(
            "propose checkpoint",
            lambda oracle, sender: oracle.propose_checkpoint(sender=sender),
            lambda state: state.oracle.propose_checkpoint(),
        )
        self._set_rate(before)
        if wait is not None:
            since = self.model.clock.time - self.model.checkpoint_proposal.time
            self._wait(max(0, wait - since))
            self.promote_checkpoint()

    @rule()
    def promote_checkpoint(self) -> None:
        self._act(
            "promote checkpoint",
            lambda oracle, sender: oracle.promote_checkpoint(sender=sender),
            lambda state: state.oracle.promote_checkpoint(),
        )

    # Feeds

    @rule(which=st.integers(0, 1), who=ROLES)
    def propose_feed(self, which: int, who: str) -> None:
        self._propose_feed(which, who)

    @rule(who=ROLES, rare=RARE)
    def cancel_feed_proposal(self, who: str, rare: bool) -> None:
        """Of one that is meant to come into use, or of none."""
        if rare and self.model.proposed is None:
            self._propose_feed(1 - self.state.feeds.index(self.model.feed), "owner")
        self._act(
            "cancel feed",
            lambda oracle, sender: oracle.cancel_feed_proposal(sender=sender),
            lambda state: state.oracle.cancel_feed_proposal(who),
            who,
        )

    @rule(
        late=st.sampled_from([-1, 0, 0, 0, 0, FEED_DELAY - 1, FEED_DELAY]),
        discount=st.sampled_from([0, 0, WAD // 50, DEEP]),
        apart=st.sampled_from([0, 1, -1, 100, -100, 101, -101, 500, -500, 501, -501]),
        # Any other number of hours is as good as none.
        dead_hours=st.sampled_from([0, 0, 71, 72, 72]),
        rubbish=RARE,
        back=st.sampled_from([None, None, 0, ROLLBACK_WINDOW - 1, ROLLBACK_WINDOW]),
    )
    def replace_feed(
        self,
        late: int,
        discount: int,
        apart: int,
        dead_hours: int,
        rubbish: bool,
        back: int | None,
    ) -> None:
        """The other feed is proposed; when it is due, both speak, so many basis points apart.

        Or the one in use has been found dead, and the other is so far from what is known. Later the
        guardian may find fault with it.
        """
        feeds = self.state.feeds
        other = 1 - feeds.index(self.model.feed)
        settled = self.model.replaced_at + ROLLBACK_WINDOW - self.model.clock.time
        if self.model.proposed is None:
            self._wait(max(0, settled))
            self._propose_feed(other, "owner")
        if self.model.proposed is None:
            return
        due = self.model.proposed_at + FEED_DELAY + late - self.model.clock.time
        self._wait(max(0, due - dead_hours * HOUR))
        if dead_hours:
            self.feed_dies(dead_hours, "silent", False)
        fundamental = self.model.fundamental
        discount = self.model.discount.wad if dead_hours else discount
        price = fundamental * (WAD - discount) // WAD
        if not dead_hours:
            self._answer_in_use(price)
        price += price * apart // 10_000 if abs(apart) > 1 else apart * WAD
        self._answer(other, price, TERMS.max_age + 1 if rubbish else 0)
        done = self._act(
            "replace feed",
            lambda oracle, sender: oracle.replace_feed(sender=sender),
            lambda state: state.oracle.replace_feed(),
        )
        if done:
            self.reached["replaced a dead feed" if dead_hours else "replaced a live feed"] += 1
            if back is not None:
                self._wait(back)
                self.roll_back_feed("guardian")

    @rule(who=ROLES)
    def roll_back_feed(self, who: str) -> None:
        self._act(
            "roll back",
            lambda oracle, sender: oracle.roll_back_feed(sender=sender),
            lambda state: state.oracle.roll_back_feed(who),
            who,
        )

    # What must hold

    @invariant()
    def as_the_model_says(self) -> None:
        model, oracle = self.model, self.contract
        assert model.clock.time == self.chain.timestamp
        reads: dict[str, tuple[Any, Any]] = {
            "discount": (oracle.discount, model.discount.wad),
            "clocks": (oracle.discount_state, _plain(model.discount)),
            "feeds": (oracle.feeds, self._feeds()),
            "feed": (oracle.feed, model.feed.name),
            "cap": (oracle.growth_cap, model.cap),
            "ratio": (oracle.checkpoint_ratio, model.checkpoint.ratio),
            "time": (oracle.checkpoint_time, model.checkpoint.time),
            "proposed ratio": (oracle.proposed_ratio, model.checkpoint_proposal.ratio),
            "proposed time": (oracle.proposed_time, model.checkpoint_proposal.time),
            "fundamental": (oracle.fundamental, model.fundamental),
            "liquidation": (oracle.liquidation_prices, model.liquidation_prices),
            "market": (oracle.market_price, self._market()),
            "gate": (oracle.supply_gate, self._gate()),
            "explained": (oracle.explain, self._explanation()),
        }
        answers = self.chain.read_batch([read.build() for read, _ in reads.values()])
        said = {name: _tuple(answer) for name, answer in zip(reads, answers, strict=True)}
        assert said == {name: expected for name, (_, expected) in reads.items()}
        self._same(oracle.price.call, lambda: model.price)
        for conservative in (False, True):
            self._same(
                lambda mode=conservative: tuple(oracle.face_price(mode)),
                lambda mode=conservative: model.face_price(mode),
            )
        self.reached[f"rule: {self._explanation()[3]}"] += 1
        self.reached[f"source: {self._explanation()[1]}"] += 1

    @invariant()
    def bounds(self) -> None:
        """ORA-4: whatever happens, no answer leaves what its sources say."""
        model, terms = self.model, self.model.terms
        first, smoothed, usable = model.liquidation_prices
        assert 0 <= model.discount.wad <= WAD
        assert smoothed <= first <= model.fundamental <= model.cap
        if usable:
            assert smoothed * WAD >= min(model.reading.price, model.fundamental) * (WAD - 1)
        assert model.discount.deep_time <= terms.lasting_time
        assert model.dead_time <= DEAD_TIME

    def everything_heals(self) -> None:
        """From wherever it stands: feeds come and go, a discount lasts and ends, the cap binds."""
        self._set_rate(VAULT_RATE)
        self._set_vault(self.model.vault.supply)
        if self.model.sequencer_fault:
            self.sequencer_recovers()
        if self.model.proposed:
            self.cancel_feed_proposal("owner", False)
        # What chance seldom comes by: a checkpoint from a dip, a feed an hour short of dead, and a
        # roll-back that comes too late.
        self.checkpoint(DAY, DEEP)
        self.replace_feed(0, 0, 0, 71, False, None)
        self.replace_feed(0, 0, 0, 0, False, ROLLBACK_WINDOW)
        self.as_the_model_says()
        self.replace_feed(0, 0, 0, 0, False, 0)
        self.as_the_model_says()
        self.press(DEEP, 30)
        self.as_the_model_says()
        fundamental = self.model.fundamental
        # As far as the feed's decimals go.
        unit = 10 ** (36 - self.model.feed.decimals)
        believed = fundamental * (WAD - DEEP) // WAD // unit * unit
        assert abs(self.model.liquidation_prices[0] - believed) <= fundamental // WAD
        assert self.model.price == believed
        self._answer_in_use(fundamental)
        self._poke("poke_price")
        self.as_the_model_says()
        assert self.model.liquidation_prices[0] == fundamental
        self._set_rate(2 * VAULT_RATE)
        self._answer_in_use(2 * fundamental)
        self._poke("poke")
        self.as_the_model_says()
        assert self.model.price == self.model.cap
        self.reached["healed"] += 1

    # How

    def _act(
        self,
        what: str,
        send: Callable[[Contract, str], Any],
        apply: Callable[[State], object],
        who: str = "stranger",
    ) -> bool:
        """Do it on the chain and in the model; both succeed, or both refuse for one reason."""
        trial = deepcopy(self.state)
        refused = ""
        try:
            apply(trial)
        except Refused as refusal:
            refused = str(refusal)
        if refused:
            with pytest.raises(Revert) as failure:
                send(self.contract, self.scene.roles[who])
            assert failure.value.reason == refused
            self.reached[f"{what} refused: {refused}"] += 1
            return False
        receipt = send(self.contract, self.scene.roles[who])
        logged, trial.oracle.events = trial.oracle.events, []
        place = self.contract.address
        assert receipt.events == [Event(name, arguments, place) for name, arguments in logged]
        self._count(what, self.model, trial.oracle)
        self.state = trial
        return True

    def _count(self, what: str, before: Oracle, after: Oracle) -> None:
        """What an action did to what is remembered."""
        self.reached[what] += 1
        changed = {
            "deepened": after.discount.wad > before.discount.wad,
            "recovered": after.discount.wad < before.discount.wad,
            "armed": bool(after.discount.armed_at) > bool(before.discount.armed_at),
            "deep time grows": after.discount.deep_time > before.discount.deep_time,
            "deep time reset": after.discount.deep_time < before.discount.deep_time,
            "found dead": after.dead_time > before.dead_time,
            "found alive": after.dead_time < before.dead_time and not after.former,
            "accepted supply moves": after.gate.accepted != before.gate.accepted,
        }  # fmt: skip
        for name, happened in changed.items():
            self.reached[name] += happened

    def _same(self, ask: Callable[[], Any], expect: Callable[[], Any]) -> None:
        """Contract and model answer alike, or refuse alike."""
        refused, expected = "", None
        try:
            expected = expect()
        except Refused as refusal:
            refused = str(refusal)
        if refused:
            with pytest.raises(Revert) as failure:
                ask()
            assert failure.value.reason == refused
            self.reached[f"no price: {refused}"] += 1
        else:
            assert ask() == expected

    def _poke(self, way: str) -> None:
        self._act(
            way,
            lambda oracle, sender: getattr(oracle, way)(sender=sender),
            lambda state: getattr(state.oracle, way)(),
        )

    def _propose_feed(self, which: int, who: str) -> None:
        address = self.state.feeds[which].name
        self._act(
            "propose feed",
            lambda oracle, sender: oracle.propose_feed(address, sender=sender),
            lambda state: state.oracle.propose_feed(who, state.feeds[which]),
            who,
        )

    def _set_rate(self, rate: int, live_part: int = WAD) -> None:
        vault, rates = self.model.vault, self.scene.rates
        vault.rate, vault.live_rate = rate, rate * live_part // WAD
        rates.set_rate(vault.rate)
        rates.set_live_rate(vault.live_rate)

    def _set_vault(self, supply: int, back: int = 0, missing: int = 0, dark: bool = False) -> None:
        vault, rates = self.model.vault, self.scene.rates
        vault.supply, vault.expected_back, vault.readable = supply, back, not dark
        vault.idle, vault.held = WAD, WAD - missing
        rates.set_supply(vault.supply)
        rates.set_expected_back(back)
        rates.set_idle(vault.idle, vault.held)
        rates.set_unreadable(dark)

    def _wait(self, seconds: int) -> None:
        self.chain.advance(seconds)
        self.model.clock.time += seconds

    def _answer_in_use(self, price: int) -> None:
        self._answer(self.state.feeds.index(self.model.feed), price)

    def _answer(self, which: int, price: int, age: int = 0) -> None:
        feed = self.state.feeds[which]
        feed.answer = price // 10 ** (36 - feed.decimals)
        feed.updated_at = feed.started_at = self.model.clock.time - age
        feed.answers = True
        self._set_round(feed)

    def _set_round(self, feed: Feed) -> None:
        contract = self.scene.feeds.get(feed.name, self.scene.sequencer)
        contract.set_round((1, feed.answer, feed.started_at, feed.updated_at, 1))
        contract.set_broken(not feed.answers)

    def _feeds(self) -> tuple[object, ...]:
        model = self.model
        return (
            model.feed.name,
            model.dead_at,
            model.dead_time,
            model.proposed.name if model.proposed else NOBODY,
            model.proposed_at,
            model.former.name if model.former else NOBODY,
            model.replaced_at,
        )

    def _market(self) -> tuple[int, bool]:
        reading = self.model.reading
        return min(reading.price, self.model.fundamental), not reading.fault

    def _gate(self) -> tuple[bool, int, int]:
        model = self.model
        opened, level, capacity = model.gate.answer(model.vault.supply, model.clock.time)
        return opened and model.vault.held >= model.vault.idle, level, capacity

    def _explanation(self) -> tuple[object, ...]:
        model = self.model
        reading: Reading = model.reading
        fundamental, cap = model.fundamental, model.cap
        first, smoothed, usable = model.liquidation_prices
        try:
            price = model.price
            source = (
                "feed"
                if price == reading.price
                else "growth cap"
                if price == cap
                else "live fundamental"
            )
        except Refused as refusal:
            price, source = 0, str(refusal)
        if first < fundamental:
            binding = "lasting discount"
        else:
            binding = "market deleverage" if usable and smoothed < first else "fundamental"
        return (
            *(price, source, first, binding, fundamental, smoothed, cap),
            *(model.checkpoint.ratio, model.checkpoint.time),
            *(model.feed.name, not reading.fault, reading.fault, reading.price),
            *(reading.updated_at, model.sequencer_fault),
            *(model.raw_discount if not reading.fault else 0, model.discount.wad),
            *(model.discount.deep_time, model.terms.lasting_time),
            *self._gate(),
        )


def _plain(discount: Any) -> tuple[int, ...]:
    return (discount.wad, discount.armed_at, discount.deep_at, discount.deep_time)


def _tuple(answer: Any) -> Any:
    return tuple(answer) if isinstance(answer, tuple) else answer


# Reached at least so often by the seed below, or the machine says nothing about them.
MUST_REACH = {
    "healed": 40,
    "replaced a live feed": 40,
    "replaced a dead feed": 5,
    "roll back": 40,
    "cancel feed": 10,
    "armed": 60,
    "deepened": 120,
    "recovered": 60,
    "deep time grows": 400,
    "deep time reset": 40,
    "found dead": 500,
    "found alive": 20,
    "accepted supply moves": 10,
    "accept supply": 5,
    "promote checkpoint": 5,
    "promote checkpoint refused: oracle: checkpoint cuts price": 3,
    "replace feed refused: oracle: feeds disagree": 3,
    "replace feed refused: oracle: old feed not dead": 1,
    "roll back refused: oracle: roll-back over": 3,
    "rule: fundamental": 300,
    "rule: market deleverage": 60,
    "rule: lasting discount": 60,
    "source: feed": 200,
    "source: live fundamental": 40,
    "source: growth cap": 40,
    "source: oracle: supply burst": 5,
    "no price: oracle: discount lasts, no feed": 1,
}


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        owner, guardian, stranger = chain.accounts[:3]
        rates = chain.deploy(artifact("SettableRates"), VAULT_RATE, LST_RATE)
        rates.set_owner(owner)
        rates.set_guardian(guardian)
        rates.set_supply(SUPPLY)
        feeds = [chain.deploy(artifact("SettableFeed"), decimals) for decimals in (18, 27)]
        sequencer = chain.deploy(artifact("SettableFeed"), 0)
        on_l2 = replace(TERMS, sequencer_grace=GRACE)
        oracles = [
            deploy_oracle(chain, rates, feeds[0], TERMS),
            deploy_oracle(chain, rates, feeds[0], on_l2, sequencer.address),
        ]
        roles = {"owner": owner, "guardian": guardian, "stranger": stranger}
        by_address = {feed.address: feed for feed in feeds}
        yield Scene(chain, rates, by_address, sequencer, oracles, roles)


def test_oracle_machine__any_order__as_the_model_says(scene: Scene) -> None:
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: OracleMachine(scene, reached),
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(reached))
    short = {what: reached[what] for what, least in MUST_REACH.items() if reached[what] < least}
    assert not short, f"hardly reached: {short} of {dict(reached)}"
