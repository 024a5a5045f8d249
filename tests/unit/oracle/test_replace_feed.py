"""A feed makes way for another: what agrees with it, or what tells fundamental when it is dead."""

from dataclasses import dataclass, replace

import pytest

from relever.artifacts import artifact
from relever.chain import Contract, Revert
from relever.protocol import NOBODY, WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, PARAMETERS, Setup, smoothed

DELAY = WINDOW = 7 * DAY
DEAD_TIME = 3 * DAY
HOUR = PARAMETERS.max_gap
AGREEMENT, BAND = PARAMETERS.feed_agreement, PARAMETERS.feed_band


@dataclass(frozen=True)
class Change:
    """An oracle, another feed for it, and those who decide."""

    setup: Setup
    other: Contract
    owner: str
    guardian: str

    @property
    def oracle(self) -> Contract:
        return self.setup.oracle

    def answer_other(self, price: int) -> None:
        now = self.setup.chain.timestamp
        self.other.set_round((1, price // WAD, now, now, 1))

    def both_answer(self, price: int) -> None:
        self.setup.answer(price)
        self.answer_other(price)

    def propose(self) -> None:
        self.oracle.propose_feed(self.other.address, sender=self.owner)

    def due(self) -> None:
        """Proposed, and the delay is over; both feeds say the fair price."""
        self.propose()
        self.setup.chain.advance(DELAY)
        self.both_answer(FAIR)

    def find_dead(self, seconds: int) -> None:
        """The feed is dead and found so every hour, for so long."""
        self.setup.feed.set_broken(True)
        self.setup.poke()
        while seconds > 0:
            self.setup.chain.advance(min(seconds, HOUR))
            seconds -= HOUR
            self.setup.poke()

    def replaced(self) -> None:
        self.due()
        self.oracle.replace_feed(sender=self.setup.stranger)

    def assert_refused(self, reason: str) -> None:
        before = self.oracle.feeds()
        with reverts(reason):
            self.oracle.replace_feed(sender=self.owner)
        assert self.oracle.feeds() == before


@pytest.fixture
def change(setup: Setup) -> Change:
    roles = setup.chain.accounts[:2]
    other = setup.chain.deploy(artifact("SettableFeed"), 8)
    setup.rates.set_owner(roles[0])
    setup.rates.set_guardian(roles[1])
    other = setup.chain.deploy(artifact("SettableFeed"), 18)
    change = Change(setup, other, *roles)
    change.both_answer(FAIR)
    return change


# --- proposing ------------------------------------------------------------------------------------


def test_propose_feed__by_the_owner__stands(change: Change) -> None:
    receipt = change.oracle.propose_feed(change.other.address, sender=change.owner)
    assert receipt.events == [change.setup.event("FeedProposed", feed=change.other.address)]
    feeds = change.oracle.feeds()
    assert (feeds.proposed, feeds.proposed_at) == (change.other.address, receipt.timestamp)
    assert feeds.feed == change.oracle.feed() == change.setup.feed.address


@pytest.mark.parametrize("who", ["guardian", "stranger"])
def test_propose_feed__by_anyone_else__reverts(change: Change, who: str) -> None:
    sender = change.guardian if who == "guardian" else change.setup.stranger
    with reverts("oracle: not the vault's owner"):
        change.oracle.propose_feed(change.other.address, sender=sender)


def test_propose_feed__the_one_in_use__reverts(change: Change) -> None:
    with reverts("oracle: feed in use"):
        change.oracle.propose_feed(change.setup.feed.address, sender=change.owner)


def test_propose_feed__of_too_many_decimals__reverts(change: Change) -> None:
    odd = change.setup.chain.deploy(artifact("SettableFeed"), 37)
    with reverts("oracle: feed decimals"):
        change.oracle.propose_feed(odd.address, sender=change.owner)


def test_propose_feed__an_account_without_code__reverts(change: Change) -> None:
    with pytest.raises(Revert):
        change.oracle.propose_feed(change.setup.stranger, sender=change.owner)


def test_propose_feed__another_meanwhile__restarts_the_delay(change: Change) -> None:
    change.propose()
    change.setup.chain.advance(DELAY)
    third = change.setup.chain.deploy(artifact("SettableFeed"), 18)
    change.oracle.propose_feed(third.address, sender=change.owner)
    assert change.oracle.feeds().proposed == third.address
    change.assert_refused("oracle: feed too young")


def test_propose_feed__while_the_last_can_be_taken_back__reverts(change: Change) -> None:
    """Else the former feed would be forgotten before the guardian can bring it back."""
    change.replaced()
    change.setup.chain.advance(WINDOW - 1)
    third = change.setup.chain.deploy(artifact("SettableFeed"), 18)
    with reverts("oracle: feed replaced lately"):
        change.oracle.propose_feed(third.address, sender=change.owner)
    change.setup.chain.advance(1)
    change.oracle.propose_feed(third.address, sender=change.owner)


# --- cancelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["owner", "guardian"])
def test_cancel_feed_proposal__by_owner_or_guardian__drops_it(change: Change, who: str) -> None:
    change.due()
    sender = change.owner if who == "owner" else change.guardian
    receipt = change.oracle.cancel_feed_proposal(sender=sender)
    assert receipt.events == [
        change.setup.event("FeedProposalCancelled", feed=change.other.address)
    ]
    assert change.oracle.feeds()[3:5] == (NOBODY, 0)
    change.assert_refused("oracle: no feed proposed")


def test_cancel_feed_proposal__by_anyone_else__reverts(change: Change) -> None:
    change.propose()
    with reverts("oracle: not owner or guardian"):
        change.oracle.cancel_feed_proposal(sender=change.setup.stranger)


def test_cancel_feed_proposal__none_stands__reverts(change: Change) -> None:
    with reverts("oracle: no feed proposed"):
        change.oracle.cancel_feed_proposal(sender=change.guardian)


# --- two feeds that agree -------------------------------------------------------------------------


def test_replace_feed__both_agree__anyone_puts_it_into_use(change: Change) -> None:
    change.due()
    receipt = change.oracle.replace_feed(sender=change.setup.stranger)
    old, new = change.setup.feed.address, change.other.address
    assert receipt.events == [change.setup.event("FeedReplaced", former=old, feed=new)]
    assert change.oracle.feeds() == (new, 0, 0, NOBODY, 0, old, receipt.timestamp)
    change.setup.feed.set_broken(True)
    assert change.oracle.price() == FAIR
    change.assert_refused("oracle: no feed proposed")


def test_replace_feed__of_other_decimals__is_scaled(change: Change) -> None:
    other = change.setup.chain.deploy(artifact("SettableFeed"), 36)
    change = replace(change, other=other)
    change.due()
    now = change.setup.chain.timestamp
    other.set_round((1, FAIR - 1, now, now, 1))
    change.oracle.replace_feed(sender=change.setup.stranger)
    assert change.oracle.price() == FAIR - 1


def test_replace_feed__before_and_after_its_time__reverts(change: Change) -> None:
    change.propose()
    change.setup.chain.advance(DELAY - 1)
    change.both_answer(FAIR)
    change.assert_refused("oracle: feed too young")
    change.setup.chain.advance(DELAY + 1)
    change.both_answer(FAIR)
    change.assert_refused("oracle: feed proposal expired")


def test_replace_feed__in_its_last_second__is_put_into_use(change: Change) -> None:
    change.propose()
    change.setup.chain.advance(2 * DELAY - 1)
    change.both_answer(FAIR)
    change.oracle.replace_feed(sender=change.setup.stranger)


@pytest.mark.parametrize("sign", [1, -1])
def test_replace_feed__at_the_agreement_bound__is_put_into_use_and_beyond_reverts(
    change: Change, sign: int
) -> None:
    change.due()
    bound = FAIR * AGREEMENT // WAD
    assert bound % WAD == 0
    change.answer_other(FAIR + sign * (bound + WAD))
    change.assert_refused("oracle: feeds disagree")
    change.answer_other(FAIR + sign * bound)
    change.oracle.replace_feed(sender=change.setup.stranger)
    moved = abs(change.oracle.market_price()[0] - FAIR)
    assert moved == (0 if sign > 0 else bound)


def test_replace_feed__new_one_unusable__reverts(change: Change) -> None:
    change.due()
    change.other.set_broken(True)
    change.assert_refused("oracle: new feed unusable")
    change.other.set_broken(False)
    change.answer_other(PARAMETERS.max_answer + WAD)
    change.assert_refused("oracle: new feed unusable")


def test_replace_feed__with_a_discount__keeps_it_and_disarms_the_clocks(change: Change) -> None:
    """The former feed has a last word; then no interval counts that each has seen one end of."""
    setup = change.setup
    change.due()
    below = WAD // 10
    setup.answer_discount(below)
    setup.poke()
    setup.press(below, 6 * HOUR)
    setup.chain.advance(60)
    change.both_answer(FAIR - FAIR // 10)
    change.oracle.replace_feed(sender=setup.stranger)
    discount = PARAMETERS.discount_speed * (6 * HOUR + 60)
    assert discount >= PARAMETERS.deep_discount
    assert setup.oracle.discount_state() == (discount, 0, 0, 60)
    # However deep the new one says it is, time begins now.
    setup.chain.advance(HOUR)
    change.answer_other(FAIR // 2)
    expected = (FAIR, smoothed(FAIR, discount), True)
    assert setup.oracle.liquidation_prices() == expected
    setup.poke()
    now = setup.chain.timestamp
    assert setup.oracle.discount_state() == (discount, now, now, 60)


def test_replace_feed__a_lasting_discount__lasts(change: Change) -> None:
    setup = change.setup
    below = PARAMETERS.deep_discount + WAD // 50
    change.propose()
    setup.answer_discount(below)
    setup.poke()
    setup.press(below, PARAMETERS.lasting_time + 8 * HOUR)
    lower = setup.oracle.liquidation_prices()[0]
    assert lower < FAIR
    change.both_answer(lower)
    change.oracle.replace_feed(sender=setup.stranger)
    assert setup.oracle.liquidation_prices() == (lower, lower, True)


# --- a dead feed ----------------------------------------------------------------------------------


@pytest.fixture
def dead(change: Change) -> Change:
    """The feed in use has been found dead for three days; the other is due."""
    change.propose()
    change.setup.chain.advance(DELAY - DEAD_TIME)
    change.find_dead(DEAD_TIME)
    change.answer_other(FAIR)
    return change


def test_replace_feed__old_one_dead_for_days__is_put_into_use(dead: Change) -> None:
    assert dead.oracle.feeds().dead_time == DEAD_TIME
    dead.oracle.replace_feed(sender=dead.setup.stranger)
    feeds = dead.oracle.feeds()
    assert (feeds.feed, feeds.dead_at, feeds.dead_time) == (dead.other.address, 0, 0)
    assert dead.oracle.price() == FAIR


def test_replace_feed__old_one_dead_a_second_less__reverts(change: Change) -> None:
    change.propose()
    change.setup.chain.advance(DELAY)
    change.find_dead(DEAD_TIME - 1)
    change.answer_other(FAIR)
    change.assert_refused("oracle: old feed not dead")
    change.setup.chain.advance(1)
    change.answer_other(FAIR)
    # The replacement itself finds it dead.
    change.oracle.replace_feed(sender=change.setup.stranger)


def test_replace_feed__old_one_answers_again__must_agree(dead: Change) -> None:
    dead.setup.feed.set_broken(False)
    dead.setup.answer(FAIR * 9 // 10)
    dead.assert_refused("oracle: feeds disagree")
    # And once somebody has seen it alive, three days begin anew.
    dead.setup.poke()
    assert dead.oracle.feeds()[1:3] == (0, 0)
    dead.setup.feed.set_broken(True)
    dead.assert_refused("oracle: old feed not dead")


@pytest.mark.parametrize("sign", [1, -1])
def test_replace_feed__dead_and_the_new_one_at_the_band__is_put_into_use_and_beyond_reverts(
    dead: Change, sign: int
) -> None:
    bound = FAIR * BAND // WAD
    assert bound % WAD == 0
    dead.answer_other(FAIR + sign * (bound + WAD))
    dead.assert_refused("oracle: new feed out of band")
    dead.answer_other(FAIR + sign * bound)
    dead.oracle.replace_feed(sender=dead.setup.stranger)


def test_replace_feed__dead_with_a_discount__the_new_one_must_know_of_it(change: Change) -> None:
    """Else a feed that dies in a depeg could be replaced by one that knows of none."""
    setup = change.setup
    change.propose()
    setup.answer_discount(WAD // 10)
    setup.poke()
    setup.press(WAD // 10, 10 * HOUR)
    before = setup.oracle.discount_state()
    known = smoothed(FAIR, before.discount)
    assert known < FAIR * 91 // 100
    setup.chain.advance(DELAY - DEAD_TIME)
    change.find_dead(DEAD_TIME)
    for price in (FAIR, FAIR * 95 // 100 + WAD, known * (WAD + BAND) // WAD + WAD):
        change.answer_other(price)
        change.assert_refused("oracle: new feed out of band")
    change.answer_other(known)
    change.oracle.replace_feed(sender=setup.stranger)
    assert setup.oracle.discount_state() == (before.discount, 0, 0, before.deep_time)
    assert before.deep_time > 0


def test_dead_time__nobody_looked__is_an_hour(change: Change) -> None:
    change.setup.feed.set_broken(True)
    change.setup.poke()
    change.setup.chain.advance(30 * DAY)
    change.setup.poke()
    assert change.oracle.feeds().dead_time == HOUR


def test_dead_time__poked_often__is_no_longer(change: Change) -> None:
    change.setup.feed.set_broken(True)
    for _ in range(5):
        change.setup.poke()
        change.setup.poke()
        change.setup.chain.advance(10)
    assert change.oracle.feeds().dead_time == 40


def test_dead_time__any_poke_that_sees_it_alive__is_none(change: Change) -> None:
    for way in ("poke", "poke_price", "poke_liquidation_prices"):
        change.find_dead(2 * HOUR)
        assert change.oracle.feeds().dead_time == 2 * HOUR
        change.setup.feed.set_broken(False)
        change.setup.answer(FAIR)
        getattr(change.oracle, way)()
        assert change.oracle.feeds()[1:3] == (0, 0)


@pytest.mark.parametrize("function", ["poke", "poke_liquidation_prices", "replace_feed"])
def test_dead_time__calls_starved_of_gas__are_no_evidence(change: Change, function: str) -> None:
    """At every gas limit the call either fails or sees that the feed is alive."""
    change.due()
    went_through = 0
    limits = range(150_000, 450_000, 10_000)
    for gas in limits:
        with change.setup.chain.isolated():
            try:
                getattr(change.oracle, function)(sender=change.setup.stranger, gas=gas)
            except Revert:
                continue
            went_through += 1
            assert change.oracle.feeds()[1:3] == (0, 0)
    assert 0 < went_through < len(limits)


# --- rolling back ---------------------------------------------------------------------------------


def test_roll_back_feed__by_the_guardian__brings_the_former_back(change: Change) -> None:
    change.replaced()
    change.setup.chain.advance(WINDOW - 1)
    old, new = change.setup.feed.address, change.other.address
    # The new feed lies: nothing that it says stands in the way.
    change.answer_other(PARAMETERS.min_answer)
    receipt = change.oracle.roll_back_feed(sender=change.guardian)
    assert receipt.events == [change.setup.event("FeedRolledBack", former=old, feed=new)]
    assert change.oracle.feeds() == (old, 0, 0, NOBODY, 0, NOBODY, 0)
    change.setup.answer(FAIR)
    assert change.oracle.price() == FAIR
    # Once, and the owner need not wait.
    with reverts("oracle: no former feed"):
        change.oracle.roll_back_feed(sender=change.guardian)
    change.propose()


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_roll_back_feed__by_anyone_else__reverts(change: Change, who: str) -> None:
    change.replaced()
    sender = change.owner if who == "owner" else change.setup.stranger
    with reverts("oracle: not the vault's guardian"):
        change.oracle.roll_back_feed(sender=sender)


def test_roll_back_feed__too_late__reverts(change: Change) -> None:
    change.replaced()
    change.setup.chain.advance(WINDOW)
    with reverts("oracle: roll-back over"):
        change.oracle.roll_back_feed(sender=change.guardian)


def test_roll_back_feed__nothing_replaced__reverts(change: Change) -> None:
    with reverts("oracle: no former feed"):
        change.oracle.roll_back_feed(sender=change.guardian)


def test_roll_back_feed__with_a_discount__keeps_it_and_disarms_the_clocks(change: Change) -> None:
    change.replaced()
    change.setup.chain.advance(HOUR)
    change.both_answer(FAIR * 9 // 10)
    change.setup.poke()
    change.setup.chain.advance(HOUR)
    change.setup.poke()
    discount = PARAMETERS.discount_speed * HOUR
    assert change.setup.oracle.discount_state()[:2] == (discount, change.setup.chain.timestamp)
    change.oracle.roll_back_feed(sender=change.guardian)
    assert change.setup.oracle.discount_state() == (discount, 0, 0, 0)
    change.setup.chain.advance(HOUR)
    assert change.setup.oracle.liquidation_prices()[1] == smoothed(FAIR, discount)
