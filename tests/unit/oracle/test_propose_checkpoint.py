import pytest

from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, LST_RATE, VAULT_RATE, YEAR, Setup


def test_propose_checkpoint__by_a_stranger__stores_the_present_fundamental(setup: Setup) -> None:
    setup.chain.advance(YEAR)
    setup.rates.set_rate(VAULT_RATE * 219 // 200)
    receipt = setup.oracle.propose_checkpoint(sender=setup.stranger)
    proposed = FAIR * 219 // 200
    assert receipt.events == [setup.event("CheckpointProposed", ratio=proposed)]
    assert setup.oracle.proposed_ratio() == proposed
    assert setup.oracle.proposed_time() == receipt.timestamp
    # The base is as it was.
    assert setup.oracle.checkpoint_ratio() == FAIR


def test_propose_checkpoint__rate_above_the_cap__stores_the_cap(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE * 2)
    setup.oracle.propose_checkpoint(sender=setup.stranger)
    assert setup.oracle.proposed_ratio() == FAIR


@pytest.mark.parametrize("unit", [-1, 0, 1])
def test_propose_checkpoint__rate_far_below_the_cap__stores_a_hundredth_less_than_the_cap(
    setup: Setup, unit: int
) -> None:
    least = FAIR - FAIR // 100
    rate = least // LST_RATE + unit
    setup.rates.set_rate(rate)
    setup.oracle.propose_checkpoint(sender=setup.stranger)
    assert setup.oracle.proposed_ratio() == max(least, rate * LST_RATE)
    with setup.chain.isolated():
        setup.rates.set_rate(1)
        setup.chain.advance(2 * DAY)
        cap = setup.oracle.growth_cap()
        setup.oracle.propose_checkpoint(sender=setup.stranger)
        assert setup.oracle.proposed_ratio() == cap - cap // 100


def test_propose_checkpoint__while_one_stands__reverts_until_it_expires(setup: Setup) -> None:
    setup.oracle.propose_checkpoint(sender=setup.stranger)
    before = setup.state()
    for wait in (0, DAY, DAY - 1):
        setup.chain.advance(wait)
        with reverts("oracle: proposal pending"):
            setup.oracle.propose_checkpoint(sender=setup.stranger)
        assert setup.state() == before
    setup.chain.advance(1)
    receipt = setup.oracle.propose_checkpoint(sender=setup.stranger)
    assert setup.oracle.proposed_time() == receipt.timestamp == before[-1] + 2 * DAY


def test_propose_checkpoint__dead_feed__does_not_matter(setup: Setup) -> None:
    setup.feed.set_broken(True)
    setup.oracle.propose_checkpoint(sender=setup.stranger)
    assert setup.oracle.proposed_ratio() == FAIR
