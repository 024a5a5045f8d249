import pytest

from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, VAULT_RATE, YEAR, Setup


def propose(setup: Setup) -> int:
    return int(setup.oracle.propose_checkpoint(sender=setup.stranger).timestamp)


@pytest.mark.parametrize("age", [DAY, 2 * DAY - 1])
def test_promote_checkpoint__of_the_right_age__moves_ratio_and_time(setup: Setup, age: int) -> None:
    setup.chain.advance(YEAR)
    setup.rates.set_rate(VAULT_RATE * 21 // 20)
    proposed_at = propose(setup)
    setup.chain.advance(age)
    receipt = setup.oracle.promote_checkpoint(sender=setup.stranger)
    ratio = FAIR * 21 // 20
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


def test_promote_checkpoint__that_would_cut_the_price__reverts(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE * 9 // 10)
    propose(setup)
    setup.rates.set_rate(VAULT_RATE)
    setup.chain.advance(DAY)
    before = setup.state()
    with reverts("oracle: checkpoint cuts price"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    assert setup.state() == before
    assert setup.oracle.fundamental() == FAIR


def test_promote_checkpoint__that_keeps_the_price_to_the_unit__is_taken(setup: Setup) -> None:
    setup.chain.advance(YEAR)
    setup.rates.set_rate(VAULT_RATE * 9 // 10)
    propose(setup)
    setup.chain.advance(DAY)
    # The cap that the proposal brings, and one unit of the rate more.
    lower = FAIR * 9 // 10
    rate_at_cap = (lower + lower * DAY // (10 * YEAR)) * VAULT_RATE // FAIR
    setup.rates.set_rate(rate_at_cap + 1)
    with reverts("oracle: checkpoint cuts price"):
        setup.oracle.promote_checkpoint(sender=setup.stranger)
    setup.rates.set_rate(rate_at_cap)
    before = setup.oracle.fundamental()
    setup.oracle.promote_checkpoint(sender=setup.stranger)
    assert setup.oracle.fundamental() == before
    assert setup.oracle.checkpoint_ratio() == lower


def test_promote_checkpoint__lasting_dip__lowers_the_base(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE * 9 // 10)
    propose(setup)
    setup.chain.advance(DAY)
    setup.oracle.promote_checkpoint(sender=setup.stranger)
    setup.rates.set_rate(VAULT_RATE)
    lower = FAIR * 9 // 10
    assert setup.oracle.fundamental() == lower + lower * DAY // (10 * YEAR)
