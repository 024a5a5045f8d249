import pytest

from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, LST_RATE, VAULT_RATE, YEAR, Setup


def propose(setup: Setup) -> int:
    return int(setup.oracle.propose_checkpoint(sender=setup.stranger).timestamp)


@pytest.mark.parametrize("age", [DAY, 2 * DAY - 1])
def test_promote_checkpoint__of_the_right_age__moves_ratio_and_time(setup: Setup, age: int) -> None:
    setup.chain.advance(YEAR)
    setup.rates.set_rate(VAULT_RATE * 219 // 200)
    proposed_at = propose(setup)
    setup.chain.advance(age)
    receipt = setup.oracle.promote_checkpoint(sender=setup.stranger)
    ratio = FAIR * 219 // 200
    assert receipt.events == [setup.event("CheckpointPromoted", ratio=ratio, time=proposed_at)]
    assert setup.oracle.checkpoint_ratio() == ratio
    assert setup.oracle.checkpoint_time() == proposed_at
    assert setup.oracle.proposed_time() == 0
    assert setup.oracle.growth_cap() == ratio + ratio * age // (10 * YEAR)


def test_promote_checkpoint__none_proposed__reverts(setup: Setup) -> None:
    with reverts("oracle: no proposal"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)


def test_promote_checkpoint__a_second_too_young__reverts(setup: Setup) -> None:
    propose(setup)
    setup.chain.advance(DAY - 1)
    before = setup.state()
    with reverts("oracle: proposal too young"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    assert setup.state() == before


def test_promote_checkpoint__a_second_too_old__reverts(setup: Setup) -> None:
    propose(setup)
    setup.chain.advance(2 * DAY)
    before = setup.state()
    with reverts("oracle: proposal expired"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    assert setup.state() == before


def test_promote_checkpoint__twice__reverts(setup: Setup) -> None:
    propose(setup)
    setup.chain.advance(DAY)
    setup.oracle.promote_checkpoint(sender=setup.stranger)
    with reverts("oracle: no proposal"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    # The way is free for the next at once.
    propose(setup)


def cap_after(ratio: int, elapsed: int) -> int:
    return ratio + ratio * elapsed // (10 * YEAR)


def test_promote_checkpoint__of_a_dip_that_is_over__reverts(setup: Setup) -> None:
    """It would hold the price one hundredth down."""
    setup.rates.set_rate(VAULT_RATE * 9 // 10)
    propose(setup)
    setup.rates.set_rate(VAULT_RATE)
    setup.chain.advance(DAY)
    before = setup.state()
    with reverts("oracle: checkpoint cuts price"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    assert setup.state() == before
    assert setup.oracle.fundamental() == FAIR


def test_promote_checkpoint__that_keeps_the_price__is_taken_to_the_unit(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE * 9 // 10)
    propose(setup)
    setup.chain.advance(DAY)
    # The highest rate that the new cap allows, and one unit more.
    lower = FAIR - FAIR // 100
    rate = cap_after(lower, DAY) // LST_RATE
    setup.rates.set_rate(rate + 1)
    with reverts("oracle: checkpoint cuts price"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    setup.rates.set_rate(rate)
    before = setup.oracle.fundamental()
    setup.oracle.promote_checkpoint(sender=setup.stranger)
    assert setup.oracle.fundamental() == before == rate * LST_RATE
    assert setup.oracle.checkpoint_ratio() == lower


def test_promote_checkpoint__lasting_loss__cap_follows_by_a_hundredth_a_day(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE * 96 // 100)
    expected = FAIR
    for _ in range(3):
        expected -= expected // 100
        propose(setup)
        setup.chain.advance(DAY)
        setup.oracle.promote_checkpoint(sender=setup.stranger)
        assert setup.oracle.checkpoint_ratio() == expected
        expected = cap_after(expected, DAY)
        assert setup.oracle.growth_cap() == expected
    # As far as the price, and no further.
    for _ in range(3):
        propose(setup)
        setup.chain.advance(DAY)
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    assert setup.oracle.checkpoint_ratio() == setup.oracle.fundamental() == FAIR * 96 // 100


def test_promote_checkpoint__at_the_cap__lifts_it_by_nothing_at_once(setup: Setup) -> None:
    """Whoever promotes every day gets compound growth, and no step."""
    setup.rates.set_rate(VAULT_RATE * 2)
    for _ in range(3):
        propose(setup)
        setup.chain.advance(DAY)
        cap = setup.oracle.growth_cap()
        setup.oracle.promote_checkpoint(sender=setup.stranger)
        assert setup.oracle.growth_cap() == setup.oracle.fundamental()
        assert 0 <= setup.oracle.growth_cap() - cap <= cap // 10**7
