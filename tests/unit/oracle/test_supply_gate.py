from dataclasses import replace

import pytest

from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, PARAMETERS, Setup, deploy_oracle

FLOOR = PARAMETERS.gate_floor
HOUR = 3_600
# A supply of which the share is more than the floor, and its capacity.
LARGE = 1_000_000 * WAD
CAPACITY = LARGE // 10


@pytest.fixture
def grown(setup: Setup) -> Setup:
    """An oracle of a large supply, which it found at its deployment."""
    setup.rates.set_supply(LARGE)
    patient = replace(PARAMETERS, max_age=2**60)
    oracle = deploy_oracle(setup.chain, setup.rates, setup.feed, patient)
    return replace(setup, oracle=oracle)


def test_supply_gate__at_deployment__accepts_what_there_is(grown: Setup, setup: Setup) -> None:
    assert grown.oracle.supply_gate() == (True, 0, CAPACITY)
    # The other oracle was deployed before there was any supply.
    assert setup.oracle.supply_gate() == (False, LARGE, FLOOR)


def test_supply_gate__small_supply__has_the_floor_as_capacity(setup: Setup) -> None:
    setup.rates.set_supply(FLOOR)
    assert setup.oracle.supply_gate() == (True, FLOOR, FLOOR)
    assert setup.oracle.price() == FAIR
    setup.rates.set_supply(FLOOR + 1)
    assert setup.oracle.supply_gate() == (False, FLOOR + 1, FLOOR)
    with reverts("oracle: supply burst"):
        setup.oracle.price()


def test_supply_gate__growth_beyond_the_capacity__stops_price_to_the_unit(grown: Setup) -> None:
    grown.rates.set_supply(LARGE + CAPACITY)
    assert grown.oracle.price() == grown.oracle.poke_price.call() == FAIR
    assert grown.oracle.supply_gate() == (True, CAPACITY, CAPACITY)
    grown.rates.set_supply(LARGE + CAPACITY + 1)
    for read in (grown.oracle.price, grown.oracle.poke_price.call):
        with reverts("oracle: supply burst"):
            read()


def test_supply_gate__shut__changes_nothing_for_liquidations(grown: Setup) -> None:
    before = grown.oracle.liquidation_prices()
    assert before == (FAIR, FAIR, True)
    grown.rates.set_supply(10 * LARGE)
    grown.poke()
    grown.rates.set_idle(WAD, 0)
    assert grown.oracle.liquidation_prices() == before
    assert grown.oracle.poke_liquidation_prices.call() == before
    grown.oracle.poke_liquidation_prices()
    assert grown.oracle.fundamental() == FAIR
    assert grown.oracle.market_price() == (FAIR, True)


def test_supply_gate__poke_for_a_liquidation__does_not_look(grown: Setup) -> None:
    grown.rates.set_supply(LARGE + CAPACITY)
    grown.oracle.poke_liquidation_prices()
    grown.chain.advance(HOUR)
    # The growth is as young as if nobody had ever looked.
    assert grown.oracle.supply_gate() == (True, CAPACITY, CAPACITY)


def test_supply_gate__growth_that_was_seen__is_accepted_with_time(grown: Setup) -> None:
    grown.see(LARGE + CAPACITY)
    grown.chain.advance(HOUR)
    accepted = LARGE + CAPACITY * HOUR // DAY
    level = LARGE + CAPACITY - accepted
    # A read shows what a poke would leave.
    assert grown.oracle.supply_gate() == (True, level, accepted // 10)
    grown.poke()
    assert grown.oracle.supply_gate() == (True, level, accepted // 10)


def test_supply_gate__burst_that_was_seen__opens_again_with_time(grown: Setup) -> None:
    grown.see(LARGE + CAPACITY * 3 // 2)
    # It is half a capacity above it, of which the growing capacity covers a tenth.
    for _ in range(11):
        with reverts("oracle: supply burst"):
            grown.oracle.price()
        grown.pass_hours(1)
    assert grown.oracle.supply_gate()[0]
    assert grown.oracle.price() == FAIR


def test_supply_gate__long_time_in_which_nobody_looked__counts_for_an_hour(grown: Setup) -> None:
    grown.see(LARGE + CAPACITY * 3 // 2)
    grown.chain.advance(30 * DAY)
    accepted = LARGE + CAPACITY * HOUR // DAY
    level = LARGE + CAPACITY * 3 // 2 - accepted
    assert grown.oracle.supply_gate() == (False, level, accepted // 10)


def test_supply_gate__growth_that_nobody_saw__has_not_aged(grown: Setup) -> None:
    grown.chain.advance(30 * DAY)
    grown.rates.set_supply(LARGE + CAPACITY + 1)
    assert grown.oracle.supply_gate() == (False, CAPACITY + 1, CAPACITY)


def test_supply_gate__pokes_in_one_block__move_nothing(grown: Setup) -> None:
    for supply in (LARGE * 2, 0, LARGE * 3, LARGE + CAPACITY + 1):
        grown.see(supply)
        level = max(0, supply - LARGE)
        assert grown.oracle.supply_gate() == (level <= CAPACITY, level, CAPACITY)


def test_supply_gate__deposit_and_redeem_in_one_block__leave_it_open(grown: Setup) -> None:
    """Nobody shuts the gate with capital that stays for no time at all."""
    grown.chain.advance(HOUR)
    grown.see(LARGE * 2)
    assert not grown.oracle.supply_gate()[0]
    grown.rates.set_supply(LARGE)
    assert grown.oracle.supply_gate() == (True, 0, CAPACITY)
    grown.poke()
    grown.chain.advance(HOUR)
    assert grown.oracle.supply_gate() == (True, 0, CAPACITY)


def test_supply_gate__redeem_and_deposit_in_one_block__leave_it_open(grown: Setup) -> None:
    """Nor by a flash loan of the token itself, which the bucket would count as growth."""
    for _ in range(3):
        grown.chain.advance(12)
        grown.see(0)
        grown.see(LARGE)
        assert grown.oracle.supply_gate() == (True, 0, CAPACITY)


def test_supply_gate__seen_high_once_and_then_long_unseen__lets_an_hour_through(
    grown: Setup,
) -> None:
    """A look in the middle of a flash deposit does not vouch for a supply forged a month later."""
    grown.see(LARGE * 5)
    grown.rates.set_supply(LARGE)
    grown.chain.advance(30 * DAY)
    accepted = LARGE + CAPACITY * HOUR // DAY
    most = accepted + accepted // 10
    grown.rates.set_supply(most)
    assert grown.oracle.supply_gate() == (True, accepted // 10, accepted // 10)
    grown.rates.set_supply(most + 1)
    assert grown.oracle.supply_gate() == (False, accepted // 10 + 1, accepted // 10)


def test_supply_gate__growth_that_is_gone_when_somebody_looks_again__was_never_accepted(
    grown: Setup,
) -> None:
    grown.see(LARGE + CAPACITY)
    grown.chain.advance(HOUR)
    grown.see(LARGE)
    grown.rates.set_supply(LARGE + CAPACITY)
    assert grown.oracle.supply_gate() == (True, CAPACITY, CAPACITY)


def test_supply_gate__fall_that_is_made_good_when_somebody_looks_again__was_none(
    grown: Setup,
) -> None:
    grown.see(0)
    grown.chain.advance(HOUR)
    grown.see(LARGE)
    assert grown.oracle.supply_gate() == (True, 0, CAPACITY)


def test_supply_gate__fall__is_followed_by_a_capacity_an_hour(grown: Setup) -> None:
    grown.see(LARGE // 2)
    assert grown.oracle.supply_gate() == (True, 0, CAPACITY)
    grown.chain.advance(HOUR // 2)
    grown.poke()
    accepted = LARGE - CAPACITY // 2
    assert grown.oracle.supply_gate() == (True, 0, accepted // 10)
    # What comes back above it is growth.
    grown.rates.set_supply(LARGE)
    assert grown.oracle.supply_gate() == (True, CAPACITY // 2, accepted // 10)


def test_supply_gate__fall_and_regrowth__is_growth_once_the_fall_was_followed(
    grown: Setup,
) -> None:
    grown.see(LARGE // 2)
    grown.pass_hours(9)
    half = LARGE // 2
    assert grown.oracle.supply_gate() == (True, 0, half // 10)
    grown.rates.set_supply(half + half // 10 + 1)
    with reverts("oracle: supply burst"):
        grown.oracle.price()


def test_supply_gate__supply_of_nothing__has_the_floor(grown: Setup) -> None:
    grown.see(0)
    grown.pass_hours(60)
    assert grown.oracle.supply_gate() == (True, 0, FLOOR)
    # Nothing is accepted any more.
    grown.rates.set_supply(FLOOR)
    assert grown.oracle.supply_gate() == (True, FLOOR, FLOOR)
    assert grown.oracle.price() == FAIR


def test_supply_gate__largest_supply__is_shut_and_can_be_poked(grown: Setup) -> None:
    grown.see(2**256 - 1)
    grown.pass_hours(2)
    opened, level, capacity = grown.oracle.supply_gate()
    assert not opened
    assert LARGE // 10 < capacity < LARGE // 9
    assert level > 2**255
    grown.see(LARGE)
    assert grown.oracle.price() == FAIR


def test_supply_gate__vault_holds_what_it_books__is_open_to_the_unit(grown: Setup) -> None:
    grown.rates.set_idle(5 * WAD, 5 * WAD)
    assert grown.oracle.price() == FAIR
    grown.rates.set_idle(5 * WAD, 6 * WAD)
    assert grown.oracle.supply_gate() == (True, 0, CAPACITY)
    grown.rates.set_idle(5 * WAD, 5 * WAD - 1)
    assert grown.oracle.supply_gate() == (False, 0, CAPACITY)
    for read in (grown.oracle.price, grown.oracle.poke_price.call):
        with reverts("oracle: supply unbacked"):
            read()


def test_accept_supply__by_the_vaults_owner__opens_the_gate(grown: Setup) -> None:
    owner = grown.rates.owner()
    grown.see(LARGE * 2)
    receipt = grown.oracle.accept_supply(LARGE * 2, sender=owner)
    assert receipt.events == [grown.event("SupplyAccepted", supply=LARGE * 2, accepted=LARGE * 2)]
    assert grown.oracle.supply_gate() == (True, 0, LARGE // 5)
    assert grown.oracle.price() == FAIR


def test_accept_supply__more_came_than_was_explained__counts_above_it(grown: Setup) -> None:
    """What is forged while the owner's call waits in a timelock is not accepted with the rest."""
    owner = grown.rates.owner()
    grown.rates.set_supply(LARGE * 2)
    receipt = grown.oracle.accept_supply(LARGE * 3 // 2, sender=owner)
    assert receipt.events == [
        grown.event("SupplyAccepted", supply=LARGE * 2, accepted=LARGE * 3 // 2)
    ]
    assert grown.oracle.supply_gate() == (False, LARGE // 2, LARGE * 3 // 20)
    # What is left was seen by that call: it is accepted with time.
    grown.chain.advance(HOUR)
    assert grown.oracle.supply_gate()[1] == LARGE // 2 - LARGE * 3 // 20 * HOUR // DAY


@pytest.mark.parametrize("most", [0, LARGE // 2, LARGE, LARGE * 2])
def test_accept_supply__no_more_than_is_accepted__accepts_no_less(grown: Setup, most: int) -> None:
    """A bound far above the supply is no credit for what comes later, one below takes nothing."""
    receipt = grown.oracle.accept_supply(most, sender=grown.rates.owner())
    assert receipt.events == [grown.event("SupplyAccepted", supply=LARGE, accepted=LARGE)]
    grown.rates.set_supply(LARGE + CAPACITY + 1)
    assert grown.oracle.supply_gate() == (False, CAPACITY + 1, CAPACITY)


def test_accept_supply__by_anyone_else__reverts(grown: Setup) -> None:
    grown.rates.set_supply(LARGE * 2)
    with reverts("oracle: not the vault's owner"):
        grown.oracle.accept_supply(LARGE * 2, sender=grown.stranger)
    former = grown.rates.owner()
    # The owner is who it is now, not who it was at deployment.
    grown.rates.set_owner(grown.stranger)
    with reverts("oracle: not the vault's owner"):
        grown.oracle.accept_supply(LARGE * 2, sender=former)
    grown.oracle.accept_supply(LARGE * 2, sender=grown.stranger)
    assert grown.oracle.supply_gate()[0]


def test_accept_supply__vault_not_backed__does_not_open_it(grown: Setup) -> None:
    grown.rates.set_idle(1, 0)
    grown.oracle.accept_supply(LARGE, sender=grown.rates.owner())
    with reverts("oracle: supply unbacked"):
        grown.oracle.price()


def test_poke__dead_feed__still_follows_the_supply(grown: Setup) -> None:
    grown.feed.set_broken(True)
    grown.see(LARGE + CAPACITY)
    grown.pass_hours(1)
    assert grown.oracle.supply_gate()[1] == CAPACITY - CAPACITY * HOUR // DAY


def test_poke_price__open__notes_the_supply(grown: Setup) -> None:
    grown.rates.set_supply(LARGE + CAPACITY)
    grown.oracle.poke_price()
    grown.chain.advance(HOUR)
    assert grown.oracle.supply_gate()[1] == CAPACITY - CAPACITY * HOUR // DAY


def test_poke_price__shut__notes_nothing(grown: Setup) -> None:
    """The call reverts whole: it takes a poke to start the clock of a burst."""
    grown.rates.set_supply(LARGE + CAPACITY + 1)
    with reverts("oracle: supply burst"):
        grown.oracle.poke_price()
    grown.chain.advance(HOUR)
    assert grown.oracle.supply_gate() == (False, CAPACITY + 1, CAPACITY)
