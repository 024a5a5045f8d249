"""The oracle: two prices of a liquid token, and what decides between them.

What backs the token is known at once but may not grow faster than its cap; what the market pays is
a feed, believed slowly when it falls and at once when it rises, and believed instead of the backing
when it has been far below for long enough. Prices are scaled by 1e36, discounts and other parts are
in WAD, times in seconds. What happens at the ends of the machine's words is not in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from relever.model.clock import Clock
from relever.model.refused import require
from relever.model.rounding import WAD
from relever.model.supply_gate import HOUR, Gate

DAY = 86_400
YEAR = 365 * DAY
PRICE_DIGITS = 36
# Shares that nobody has, beside the supply.
VIRTUAL_SHARES = 10**9
CHECKPOINT_DELAY = DAY
FEED_DELAY = 7 * DAY
ROLLBACK_WINDOW = 7 * DAY
DEAD_TIME = 3 * DAY

Event = tuple[str, dict[str, object]]


@dataclass(frozen=True)
class Terms:
    """What an oracle is made with."""

    max_age: int
    min_answer: int
    max_answer: int
    feed_agreement: int
    feed_band: int
    sequencer_grace: int
    max_growth: int
    discount_speed: int
    max_gap: int
    deep_discount: int
    lasting_time: int


class Below(Protocol):
    """What the oracle asks the vault and the token below it. Rates in WAD, amounts in units."""

    @property
    def rate(self) -> int: ...
    @property
    def live_rate(self) -> int: ...
    @property
    def lst_rate(self) -> int: ...
    @property
    def expected_back(self) -> int: ...
    @property
    def supply(self) -> int: ...
    @property
    def idle(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def readable(self) -> bool: ...


@dataclass
class Vault:
    """Answers that are set."""

    rate: int
    live_rate: int
    lst_rate: int
    expected_back: int = 0
    supply: int = 0
    idle: int = 0
    held: int = 0
    readable: bool = True


def backing(below: Below) -> int:
    """What backs the token, and what a quarantine is still to give back."""
    extra = below.expected_back * WAD // (below.supply + VIRTUAL_SHARES)
    return (below.rate + extra) * below.lst_rate


@dataclass
class Feed:
    """The last round of a feed, in its own decimals, or of a sequencer's uptime feed."""

    name: str
    decimals: int
    answer: int = 0
    started_at: int = 0
    updated_at: int = 0
    answers: bool = True


@dataclass(frozen=True)
class Reading:
    """A price, or what is wrong; and whether that is the feed's own fault."""

    price: int
    updated_at: int
    fault: str = ""
    dead: bool = False


@dataclass(frozen=True)
class Discount:
    """The smoothed discount and the clocks that run on it."""

    wad: int = 0
    # The last sight of a deeper one, and of a smoothed one that was deep; 0 for none.
    armed_at: int = 0
    deep_at: int = 0
    deep_time: int = 0

    def after(self, raw: int, now: int, terms: Terms) -> Discount:
        """What a sight of a raw discount leaves."""
        if raw <= self.wad:
            wad, armed_at = raw, 0
        else:
            counts = min(now - self.armed_at, terms.max_gap) if self.armed_at else 0
            wad, armed_at = min(raw, self.wad + terms.discount_speed * counts), now
        if wad < terms.deep_discount:
            return Discount(wad, armed_at)
        if self.deep_time == terms.lasting_time:
            return Discount(wad, armed_at, self.deep_at, self.deep_time)
        counts = min(now - self.deep_at, terms.max_gap) if self.deep_at else 0
        return Discount(wad, armed_at, now, min(terms.lasting_time, self.deep_time + counts))

    @property
    def disarmed(self) -> Discount:
        """The same with both clocks to be armed anew."""
        return replace(self, armed_at=0, deep_at=0)


@dataclass(frozen=True)
class Checkpoint:
    """A base of the growth cap; `time` is 0 for none."""

    ratio: int = 0
    time: int = 0


@dataclass
class Oracle:
    """One oracle; whoever calls is named by `who`: the owner, the guardian or anyone."""

    clock: Clock
    terms: Terms
    vault: Below
    feed: Feed
    gate: Gate
    sequencer: Feed | None = None
    discount: Discount = field(default_factory=Discount)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    checkpoint_proposal: Checkpoint = field(default_factory=Checkpoint)
    dead_at: int = 0
    dead_time: int = 0
    proposed: Feed | None = None
    proposed_at: int = 0
    former: Feed | None = None
    replaced_at: int = 0
    # What has been logged; whoever looks empties it.
    events: list[Event] = field(default_factory=list)

    # Prices

    @property
    def cap(self) -> int:
        """The most that fundamental may be now."""
        base, elapsed = self.checkpoint.ratio, self.clock.time - self.checkpoint.time
        return base + base * self.terms.max_growth * elapsed // (WAD * YEAR)

    @property
    def fundamental(self) -> int:
        """By what the vault has booked."""
        return min(backing(self.vault), self.cap)

    @property
    def price(self) -> int:
        """For what adds risk."""
        reading = self.reading
        require(not reading.fault, reading.fault)
        opened, _, _ = self.gate.answer(self.vault.supply, self.clock.time)
        require(opened, "oracle: supply burst")
        require(self.vault.held >= self.vault.idle, "oracle: supply unbacked")
        require(self.vault.readable, "vault: adapter unreadable")
        return min(reading.price, self.vault.live_rate * self.vault.lst_rate, self.cap)

    @property
    def liquidation_prices(self) -> tuple[int, int, bool]:
        """What health is measured by, the smoothed market, and whether the feed can be used."""
        fundamental, state, reading = self.fundamental, self.discount, self.reading
        usable = not reading.fault and fundamental > 0
        if usable:
            raw = _discount(fundamental, reading.price)
            state = state.after(raw, self.clock.time, self.terms)
        smoothed = fundamental * (WAD - state.wad) // WAD
        lasts = usable and state.deep_time == self.terms.lasting_time
        return smoothed if lasts else fundamental, smoothed, usable

    def face_price(self, conservative: bool) -> tuple[int, int]:
        """What others are told, and of which time it is."""
        if conservative:
            return self.price, self.reading.updated_at
        first, _, usable = self.liquidation_prices
        believed = usable or self.discount.deep_time < self.terms.lasting_time
        require(believed, "oracle: discount lasts, no feed")
        return first, self.reading.updated_at if first < self.fundamental else self.clock.time

    @property
    def raw_discount(self) -> int:
        """What the feed says now, of a fundamental that is something."""
        return _discount(self.fundamental, self.reading.price)

    # The feed

    @property
    def reading(self) -> Reading:
        """What the feed in use says now."""
        return self.read(self.feed)

    @property
    def sequencer_fault(self) -> str:
        """Why no answer is fresh on this L2 now."""
        status, now = self.sequencer, self.clock.time
        if status is None:
            return ""
        if not status.answers or not 0 < status.started_at <= now:
            return "oracle: sequencer unknown"
        if status.answer:
            return "oracle: sequencer down"
        in_grace = now - status.started_at <= self.terms.sequencer_grace
        return "oracle: sequencer grace" if in_grace else ""

    def read(self, feed: Feed) -> Reading:
        """What a feed says now."""
        if self.sequencer_fault:
            return Reading(0, 0, self.sequencer_fault)
        if not feed.answers:
            return Reading(0, 0, "oracle: feed does not answer", dead=True)
        price = feed.answer * 10 ** (PRICE_DIGITS - feed.decimals)
        if feed.answer <= 0:
            fault = "oracle: bad answer"
        elif not 0 <= self.clock.time - feed.updated_at <= self.terms.max_age:
            fault = "oracle: stale feed"
        elif not self.terms.min_answer <= price <= self.terms.max_answer:
            fault = "oracle: answer out of bounds"
        else:
            return Reading(price, feed.updated_at)
        return Reading(0, feed.updated_at, fault, dead=True)

    @property
    def _usable(self) -> bool:
        return not self.reading.fault and self.fundamental > 0

    # What anyone may do

    def poke(self) -> bool:
        """Look at supply and feed."""
        self.gate = self.gate.after(self.vault.supply, self.clock.time)
        return self.poke_liquidation_prices()[2]

    def poke_price(self) -> int:
        """Look at both, for who needs the price."""
        self.poke()
        return self.price

    def poke_liquidation_prices(self) -> tuple[int, int, bool]:
        """Look at the feed alone."""
        answer, before, reading = self.liquidation_prices, self.discount, self.reading
        if reading.dead:
            counts = min(self.clock.time - self.dead_at, HOUR) if self.dead_at else 0
            self.dead_at = self.clock.time
            self.dead_time = min(DEAD_TIME, self.dead_time + counts)
        elif not reading.fault:
            self.dead_at = self.dead_time = 0
        if self._usable:
            self.discount = before.after(self.raw_discount, self.clock.time, self.terms)
            if self.discount.wad != before.wad:
                self._log("Poked", discount=self.discount.wad)
            lasts = self.discount.deep_time == self.terms.lasting_time
            if lasts != (before.deep_time == self.terms.lasting_time):
                self._log("Lasting", lasts=lasts)
        return answer

    def propose_checkpoint(self) -> None:
        """The present price, or a hundredth below the cap where that is more."""
        pending = self.checkpoint_proposal.time + 2 * CHECKPOINT_DELAY > self.clock.time
        require(not pending, "oracle: proposal pending")
        ratio = max(self.fundamental, self.cap - self.cap // 100)
        self.checkpoint_proposal = Checkpoint(ratio, self.clock.time)
        self._log("CheckpointProposed", ratio=ratio)

    def promote_checkpoint(self) -> None:
        """A day later, unless that cut the price."""
        proposal, price = self.checkpoint_proposal, self.fundamental
        require(proposal.time > 0, "oracle: no proposal")
        age = self.clock.time - proposal.time
        require(age >= CHECKPOINT_DELAY, "oracle: proposal too young")
        require(age < 2 * CHECKPOINT_DELAY, "oracle: proposal expired")
        self.checkpoint = proposal
        self.checkpoint_proposal = Checkpoint(proposal.ratio)
        require(self.fundamental >= price, "oracle: checkpoint cuts price")
        self._log("CheckpointPromoted", ratio=proposal.ratio, time=proposal.time)

    def replace_feed(self) -> None:
        """A week after the proposal: feeds that agree, or one in band for a dead one."""
        _, known, _ = self.poke_liquidation_prices()
        new = self.proposed
        require(new is not None, "oracle: no feed proposed")
        assert new is not None
        age = self.clock.time - self.proposed_at
        require(age >= FEED_DELAY, "oracle: feed too young")
        require(age < 2 * FEED_DELAY, "oracle: feed proposal expired")
        old_says, new_says = self.reading, self.read(new)
        require(not new_says.fault, "oracle: new feed unusable")
        if not old_says.fault:
            apart = abs(new_says.price - old_says.price) * WAD
            agree = apart <= old_says.price * self.terms.feed_agreement
            require(agree, "oracle: feeds disagree")
        else:
            require(self.dead_time == DEAD_TIME, "oracle: old feed not dead")
            apart = abs(new_says.price - known) * WAD
            in_band = apart <= known * self.terms.feed_band
            require(in_band, "oracle: new feed out of band")
        self._log("FeedReplaced", former=self.feed.name, feed=new.name)
        self.former, self.replaced_at = self.feed, self.clock.time
        self._use(new)
        self.proposed, self.proposed_at = None, 0

    # What owner and guardian may do

    def accept_supply(self, who: str, most: int) -> None:
        """The owner explains a supply."""
        self._only_owner(who)
        self.gate = self.gate.after(self.vault.supply, self.clock.time, most)
        self._log("SupplyAccepted", supply=self.vault.supply, accepted=self.gate.accepted)

    def propose_feed(self, who: str, feed: Feed) -> None:
        """Not while the last replacement can be rolled back."""
        self._only_owner(who)
        settled = self.replaced_at + ROLLBACK_WINDOW <= self.clock.time
        require(settled, "oracle: feed replaced lately")
        require(feed is not self.feed, "oracle: feed in use")
        self.proposed, self.proposed_at = feed, self.clock.time
        self._log("FeedProposed", feed=feed.name)

    def cancel_feed_proposal(self, who: str) -> None:
        """Whoever of the two."""
        require(who in ("owner", "guardian"), "oracle: not owner or guardian")
        require(self.proposed is not None, "oracle: no feed proposed")
        assert self.proposed is not None
        self._log("FeedProposalCancelled", feed=self.proposed.name)
        self.proposed, self.proposed_at = None, 0

    def roll_back_feed(self, who: str) -> None:
        """The guardian, whatever the feeds say."""
        require(who == "guardian", "oracle: not the vault's guardian")
        former = self.former
        require(former is not None, "oracle: no former feed")
        assert former is not None
        in_time = self.clock.time < self.replaced_at + ROLLBACK_WINDOW
        require(in_time, "oracle: roll-back over")
        self._log("FeedRolledBack", former=former.name, feed=self.feed.name)
        self._use(former)
        self.former, self.replaced_at = None, 0

    def _use(self, feed: Feed) -> None:
        """What was remembered stands, and no time counts that began with the other feed."""
        self.feed = feed
        self.dead_at = self.dead_time = 0
        self.discount = self.discount.disarmed

    def _only_owner(self, who: str) -> None:
        require(who == "owner", "oracle: not the vault's owner")

    def _log(self, name: str, **arguments: object) -> None:
        self.events.append((name, arguments))


def _discount(fundamental: int, market: int) -> int:
    """By how much a price is below fundamental, WAD."""
    return (fundamental - min(market, fundamental)) * WAD // fundamental
