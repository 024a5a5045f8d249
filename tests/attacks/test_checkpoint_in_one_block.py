"""The growth cap's base is moved by someone who controls one block, or its ratio without its time.

After Aave's CAPO on wstETH (2026-03-10): ratio and time were updated apart from each other, the
price fell by 2.85 %, and 34 accounts were liquidated.
"""

from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, VAULT_RATE, YEAR, Setup


def test_checkpoint__proposed_and_promoted_in_one_block__is_refused(oracle_alone: Setup) -> None:
    oracle, stranger = oracle_alone.oracle, oracle_alone.stranger
    oracle_alone.rates.set_rate(VAULT_RATE * 2)
    oracle.propose_checkpoint(sender=stranger)
    with reverts("oracle: proposal too young"):
        oracle.promote_checkpoint(sender=stranger)
    assert oracle.checkpoint_ratio() == FAIR


def test_checkpoint__of_a_rate_pumped_for_one_block__stores_no_more_than_the_cap(
    oracle_alone: Setup,
) -> None:
    oracle, stranger = oracle_alone.oracle, oracle_alone.stranger
    oracle_alone.rates.set_rate(VAULT_RATE * 2)
    oracle.propose_checkpoint(sender=stranger)
    oracle_alone.rates.set_rate(VAULT_RATE)
    oracle_alone.chain.advance(DAY)
    oracle.promote_checkpoint(sender=stranger)
    assert oracle.checkpoint_ratio() == FAIR
    assert oracle.growth_cap() == FAIR + FAIR * DAY // (10 * YEAR)


def test_checkpoint__of_a_rate_cut_for_one_block__liquidates_nobody_later(
    oracle_alone: Setup,
) -> None:
    oracle, stranger = oracle_alone.oracle, oracle_alone.stranger
    oracle_alone.rates.set_rate(VAULT_RATE // 2)
    oracle.propose_checkpoint(sender=stranger)
    oracle_alone.rates.set_rate(VAULT_RATE)
    for wait in (DAY, DAY // 2, DAY // 4):
        oracle_alone.chain.advance(wait)
        with reverts("oracle: checkpoint cuts price"):
            oracle.promote_checkpoint(sender=stranger)
        assert oracle.fundamental() == FAIR


def test_checkpoint__ratio_and_time__move_along_a_path_that_was_allowed(
    oracle_alone: Setup,
) -> None:
    """The price before and after each promotion is the same to the unit, year in, year out."""
    oracle, rates, chain = oracle_alone.oracle, oracle_alone.rates, oracle_alone.chain
    for _ in range(12):
        chain.advance(30 * DAY)
        rates.set_rate(rates.rate() * 1004 // 1000)
        oracle.propose_checkpoint()
        proposed_at, ratio = chain.timestamp, oracle.fundamental()
        chain.advance(DAY)
        before = oracle.fundamental()
        oracle.promote_checkpoint()
        assert oracle.fundamental() == before
        assert (oracle.checkpoint_ratio(), oracle.checkpoint_time()) == (ratio, proposed_at)
    assert oracle.fundamental() * WAD // FAIR < 11 * WAD // 10


def test_checkpoint__kept_pending_by_a_stranger__blocks_for_two_days_at_most(
    oracle_alone: Setup,
) -> None:
    oracle, stranger, chain = oracle_alone.oracle, oracle_alone.stranger, oracle_alone.chain
    oracle.propose_checkpoint(sender=stranger)
    with reverts("oracle: proposal pending"):
        oracle.propose_checkpoint()
    chain.advance(2 * DAY)
    oracle.propose_checkpoint()
    chain.advance(DAY)
    oracle.promote_checkpoint()
