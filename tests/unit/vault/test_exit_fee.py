"""The fee of an instant exit: its curve by itself, and in every function that it touches."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.chain import Chain, Contract, Revert
from tests.unit.vault.conftest import (
    DAY,
    LARGEST,
    NOBODY,
    SEED,
    UNLOCK_PERIOD,
    WAD,
    Exits,
    Setup,
    assets_down,
    exit_fee,
    shares_up,
)

LARGEST_FEE = 10**16
LARGEST_BUFFER = 2**80
BUFFER = 40 * WAD

buffers = st.one_of(
    st.integers(0, 5), st.integers(0, 100 * WAD), st.sampled_from([1, LARGEST_BUFFER])
)
fees = st.one_of(st.integers(0, LARGEST_FEE), st.sampled_from([1, LARGEST_FEE]))
amounts = st.one_of(st.integers(0, 10), st.integers(0, 200 * WAD), st.integers(0, LARGEST))
property_of = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def area(level: int, buffer: int) -> Fraction:
    """What the units up to a level cost together, for a fee of the last unit of one."""
    inside = min(level, buffer)
    return inside - Fraction(inside**2, 2 * buffer)


def exact_fee(paid: int, free: int, buffer: int, max_fee: int) -> Fraction:
    """The fee before it is rounded; units that are not free cost the whole fee."""
    if not buffer:
        return Fraction(0)
    beyond = max(0, paid - free)
    units = area(free, buffer) - area(free - (paid - beyond), buffer) + beyond
    return Fraction(max_fee, WAD) * units


def fee_up(paid: int, free: int, buffer: int = BUFFER, max_fee: int = LARGEST_FEE) -> int:
    return ceil(exact_fee(paid, free, buffer, max_fee))


def paid_down(gross: int, free: int, buffer: int = BUFFER, max_fee: int = LARGEST_FEE) -> int:
    """The largest payment that with its fee is no more than `gross`, by halving."""
    low, high = 0, gross
    while low < high:
        middle = (low + high + 1) // 2
        if middle + fee_up(middle, free, buffer, max_fee) <= gross:
            low = middle
        else:
            high = middle - 1
    return low


@pytest.fixture(scope="session")
def deployed_fee(vault_chain: Chain) -> Contract:
    return vault_chain.deploy(artifact("VaultModules"))


@pytest.fixture
def modules(vault_chain: Chain, deployed_fee: Contract) -> Iterator[Contract]:
    with vault_chain.isolated():
        yield deployed_fee


@pytest.fixture
def costly(staked: Setup) -> Setup:
    """20 and the seed are free, half of the buffer: the first unit costs about half a per cent."""
    staked.vault.set_exit_fee(BUFFER, LARGEST_FEE, sender=staked.actors.owner)
    return staked


# The curve


@property_of
@given(paid=amounts, free=amounts, buffer=buffers, max_fee=fees)
def test_fee_up__any_values__is_the_integral_rounded_up(
    modules: Contract, paid: int, free: int, buffer: int, max_fee: int
) -> None:
    modules.set_exit_fee(buffer, max_fee)
    assert modules.fee_up(paid, free) == fee_up(paid, free, buffer, max_fee)


@property_of
@given(paid=st.integers(0, 60), free=st.integers(0, 60), buffer=st.integers(1, 60))
def test_fee_up__few_units__is_the_sum_of_what_each_costs(
    modules: Contract, paid: int, free: int, buffer: int
) -> None:
    """Unit by unit, each at the mean of the levels before and after it."""
    modules.set_exit_fee(buffer, LARGEST_FEE)
    cost = Fraction(0)
    for unit in range(paid):
        level = Fraction(2 * (free - unit) - 1, 2)
        cost += max(Fraction(0), 1 - max(Fraction(0), level) / buffer)
    assert modules.fee_up(paid, free) == ceil(cost * LARGEST_FEE / WAD)


@property_of
@given(gross=amounts, free=amounts, buffer=buffers, max_fee=fees)
def test_paid_down__any_values__is_the_largest_that_fits(
    modules: Contract, gross: int, free: int, buffer: int, max_fee: int
) -> None:
    modules.set_exit_fee(buffer, max_fee)
    paid = modules.paid_down(gross, free)
    assert paid + fee_up(paid, free, buffer, max_fee) <= gross
    assert paid + 1 + fee_up(paid + 1, free, buffer, max_fee) > gross


@pytest.mark.parametrize("gross", range(0, 420, 7))
def test_paid_down__little__is_the_largest_that_fits(modules: Contract, gross: int) -> None:
    for free, buffer in ((0, 1), (gross, 100), (gross // 2, gross + 1)):
        modules.set_exit_fee(buffer, LARGEST_FEE)
        assert modules.paid_down(gross, free) == paid_down(gross, free, buffer)


@settings(parent=property_of, max_examples=25)
@given(
    parts=st.lists(st.integers(0, 3 * WAD), min_size=2, max_size=100),
    more=st.one_of(st.just(0), st.integers(0, 200 * WAD)),
    buffer=buffers,
    max_fee=fees,
)
def test_fee_up__split_in_up_to_a_hundred_parts__is_never_less(
    modules: Contract, parts: list[int], more: int, buffer: int, max_fee: int
) -> None:
    modules.set_exit_fee(buffer, max_fee)
    free = sum(parts) + more
    whole = modules.fee_up(sum(parts), free)
    in_parts = 0
    for part in parts:
        in_parts += modules.fee_up(part, free)
        free -= part
    # Each part rounds up by itself.
    assert whole <= in_parts < whole + len(parts)


# Its terms


@pytest.mark.parametrize(
    ("buffer", "max_fee"), [(0, 0), (1, 1), (BUFFER, 0), (LARGEST_BUFFER, LARGEST_FEE)]
)
def test_set_exit_fee__owner__sets_both(setup: Setup, buffer: int, max_fee: int) -> None:
    receipt = setup.vault.set_exit_fee(buffer, max_fee, sender=setup.actors.owner)
    assert receipt.events == [setup.event("ExitFeeSet", buffer=buffer, max_fee=max_fee)]
    assert setup.vault.exit_terms() == (buffer, max_fee)


@pytest.mark.parametrize(
    ("buffer", "max_fee", "reason"),
    [
        (LARGEST_BUFFER + 1, 0, "vault: exit buffer"),
        (2**256 - 1, 0, "vault: exit buffer"),
        (0, LARGEST_FEE + 1, "vault: exit fee"),
        (0, 2**256 - 1, "vault: exit fee"),
    ],
)
def test_set_exit_fee__out_of_bounds__reverts(
    setup: Setup, buffer: int, max_fee: int, reason: str
) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_exit_fee(buffer, max_fee, sender=setup.actors.owner)
    assert failure.value.reason == reason
    assert setup.vault.exit_terms() == (0, 0)


@pytest.mark.parametrize("role", ["allocator", "guardian", "depositor", "stranger"])
def test_set_exit_fee__not_the_owner__reverts(setup: Setup, role: str) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_exit_fee(0, 0, sender=getattr(setup.actors, role))
    assert failure.value.reason == "ownable: caller is not the owner"


# In the vault


def test_withdraw__below_the_buffer__burns_the_fee_too_and_locks_it(costly: Setup) -> None:
    vault, who, receiver = costly.vault, costly.actors.depositor, costly.actors.holder
    costly.report(53 * WAD + 1)
    total, supply, idle = 93 * WAD + 1 + SEED, vault.totalSupply(), vault.idle()
    fee = fee_up(7 * WAD, idle)
    shares = shares_up(7 * WAD + fee, total, supply)
    assert exit_fee(vault, 7 * WAD) == fee
    assert 7 * WAD * 5 // 1000 < fee < 7 * WAD * 7 // 1000

    receipt = vault.withdraw(7 * WAD, receiver, who, sender=who)

    assert receipt.events == [
        costly.synced(costly.adapter, 0, 7 * WAD - 1, 53 * WAD + 1),
        costly.event("ExitFeeKept", owner=who, fee=fee),
        costly.event("Transfer", sender=who, receiver=NOBODY, value=shares),
        costly.moved(vault.address, receiver, 7 * WAD),
        costly.event(
            "Withdraw", sender=who, receiver=receiver, owner=who, assets=7 * WAD, shares=shares
        ),
    ]
    assert vault.idle() == idle - 7 * WAD
    assert vault.locked_profit() == fee
    assert vault.totalAssets() == total - 7 * WAD - fee
    assert vault.totalSupply() == supply - shares


def test_redeem__below_the_buffer__pays_the_most_that_the_fee_leaves(costly: Setup) -> None:
    vault, who, receiver = costly.vault, costly.actors.depositor, costly.actors.holder
    costly.report(53 * WAD + 1)
    total, supply, idle = 93 * WAD + 1 + SEED, vault.totalSupply(), vault.idle()
    worth = assets_down(7 * WAD, total, supply)
    assets = paid_down(worth, idle)
    assert assets < worth

    receipt = vault.redeem(7 * WAD, receiver, who, sender=who)

    assert receipt.events == [
        costly.synced(costly.adapter, 0, 7 * WAD - 1, 53 * WAD + 1),
        costly.event("ExitFeeKept", owner=who, fee=worth - assets),
        costly.event("Transfer", sender=who, receiver=NOBODY, value=7 * WAD),
        costly.moved(vault.address, receiver, assets),
        costly.event(
            "Withdraw", sender=who, receiver=receiver, owner=who, assets=assets, shares=7 * WAD
        ),
    ]
    assert vault.idle() == idle - assets
    assert vault.locked_profit() == worth - assets
    assert vault.totalAssets() == total - worth


def test_exit__fee__unlocks_for_who_stays(costly: Setup) -> None:
    vault, who = costly.vault, costly.actors.depositor
    vault.transfer(costly.actors.holder, 50 * WAD, sender=who)
    vault.withdraw(20 * WAD, who, who, sender=who)
    fee, total = vault.locked_profit(), vault.totalAssets()
    assert fee == fee_up(20 * WAD, 20 * WAD + SEED)
    costly.chain.advance(UNLOCK_PERIOD // 2)
    assert vault.totalAssets() == total + fee // 2
    costly.chain.advance(UNLOCK_PERIOD // 2)
    assert vault.totalAssets() == total + fee
    assert vault.rate() > WAD


def test_exit__down_to_the_buffer__is_free_and_the_next_unit_is_not(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.set_exit_fee(15 * WAD, LARGEST_FEE, sender=staked.actors.owner)
    above = 5 * WAD + SEED
    assert exit_fee(vault, above) == 0
    assert exit_fee(vault, above + 1) == 1
    assert vault.previewWithdraw(above) == above
    receipt = vault.withdraw(above, who, who, sender=who)
    assert [event.name for event in receipt.events] == ["Transfer", "Transfer", "Withdraw"]
    assert vault.locked_profit() == 0
    receipt = vault.withdraw(1, who, who, sender=who)
    assert receipt.events[0] == staked.event("ExitFeeKept", owner=who, fee=1)


def test_exit__everything_that_is_free__costs_half_of_the_largest_fee(staked: Setup) -> None:
    vault = staked.vault
    free = vault.idle()
    vault.set_exit_fee(free, LARGEST_FEE, sender=staked.actors.owner)
    assert exit_fee(vault, free) == free // 200


@pytest.mark.parametrize("waiting", [WAD, 15 * WAD, 25 * WAD])
def test_exit__queue_waits__only_the_rest_is_free(exits: Exits, waiting: int) -> None:
    """What is kept for the queue makes the rest scarcer, down to nothing."""
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.depositor
    vault.set_exit_fee(BUFFER, LARGEST_FEE, sender=setup.actors.owner)
    setup.report(44 * WAD + 3, at_risk=WAD + 1)
    exits.queue.requestRedeem(waiting, who, who, sender=who)
    total, supply = 83 * WAD + 2 + SEED, vault.totalSupply()
    assert vault.live_total_assets(True) == total
    # The line keeps its worth without what is at risk.
    kept = -(-waiting * (total + WAD + 1 + 10**9) // (supply + 10**9))
    free = max(0, 20 * WAD + SEED - kept)
    for assets in (1, 3 * WAD, 30 * WAD):
        fee = fee_up(assets, free)
        assert exit_fee(vault, assets) == fee
        assert vault.previewWithdraw(assets) == shares_up(assets + fee, total, supply)
        gross = assets_down(assets, total, supply)
        assert vault.previewRedeem(assets) == paid_down(gross, free)
    assert vault.maxWithdraw(who) == free
    assert (free == 0) is (waiting == 25 * WAD)


def test_exit__beyond_what_is_free__can_be_previewed_not_made(costly: Setup) -> None:
    vault, who = costly.vault, costly.actors.depositor
    free, supply = vault.idle(), vault.totalSupply()
    fee = fee_up(free + 10 * WAD, free)
    # The last ten at the whole fee.
    assert fee == fee_up(free, free) + WAD // 10
    shares = vault.previewWithdraw(free + 10 * WAD)
    assert shares == shares_up(free + 10 * WAD + fee, vault.totalAssets(), supply)
    assert vault.previewRedeem(shares) == free + 10 * WAD
    for act in (
        lambda: vault.withdraw(free + 1, who, who, sender=who),
        lambda: vault.redeem(shares, who, who, sender=who),
    ):
        with pytest.raises(Revert) as failure:
            act()
        assert failure.value.reason == "vault: not enough idle"


@settings(parent=property_of, max_examples=80)
@given(
    buffer=st.one_of(st.integers(0, 3), st.integers(0, 60 * WAD), st.just(LARGEST_BUFFER)),
    max_fee=fees,
    live=st.integers(0, 80 * WAD),
    at_risk=st.one_of(st.just(0), st.integers(0, 80 * WAD)),
    waiting=st.one_of(st.just(0), st.integers(WAD, 30 * WAD)),
    amount=st.one_of(st.integers(1, 1_000), st.integers(1, 25 * WAD)),
)
def test_exit__any_state__previews_and_maxima_are_exact(
    exits: Exits,
    buffer: int,
    max_fee: int,
    live: int,
    at_risk: int,
    waiting: int,
    amount: int,
) -> None:
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.depositor
    with setup.chain.isolated():
        vault.set_exit_fee(buffer, max_fee, sender=setup.actors.owner)
        setup.report(live, at_risk=at_risk)
        if waiting:
            exits.queue.requestRedeem(waiting, who, who, sender=who)

        most_assets, most_shares = vault.maxWithdraw(who), vault.maxRedeem(who)
        for act, most in ((vault.withdraw, most_assets), (vault.redeem, most_shares)):
            with setup.chain.isolated(), pytest.raises(Revert):
                act(most + 1, who, who, sender=who)
            if most:
                act.call(most, who, who, sender=who)

        assets = min(amount, most_assets)
        shares = vault.previewWithdraw(assets)
        if assets:
            assert vault.withdraw.call(assets, who, who, sender=who) == shares
            # Redeeming what a withdrawal costs pays as much, and at most what rounding leaves.
            assert vault.previewRedeem(shares) >= assets
            assert vault.previewWithdraw(vault.previewRedeem(shares)) <= shares
        shares = min(amount, most_shares)
        assets = vault.previewRedeem(shares)
        if shares and assets:
            assert vault.redeem.call(shares, who, who, sender=who) == assets
            assert vault.previewWithdraw(assets) <= shares
            assert vault.previewWithdraw(assets + 1) > shares


@settings(parent=property_of, max_examples=15)
@given(
    parts=st.integers(2, 100),
    whole=st.integers(1_000, 19 * WAD),
    max_fee=fees,
    live=st.integers(0, 80 * WAD),
)
def test_exit__in_up_to_a_hundred_parts__costs_no_less(
    costly: Setup, parts: int, whole: int, max_fee: int, live: int
) -> None:
    vault, who = costly.vault, costly.actors.depositor
    with costly.chain.isolated():
        vault.set_exit_fee(BUFFER, max_fee, sender=costly.actors.owner)
        costly.report(live)
        at_once = vault.previewWithdraw(whole)
        before = vault.balanceOf(who)
        for part in range(parts):
            assets = whole * (part + 1) // parts - whole * part // parts
            vault.withdraw(assets, who, who, sender=who)
        burnt = before - vault.balanceOf(who)
        # Each part rounds its fee and its shares.
        assert at_once <= burnt
        assert vault.convertToAssets(burnt - at_once) <= 2 * parts


@settings(parent=property_of, max_examples=40)
@given(
    borrowed=st.integers(1, 50_000 * WAD),
    out=st.integers(1, 19 * WAD),
    max_fee=fees,
    live=st.integers(0, 80 * WAD),
    last_first=st.booleans(),
)
def test_exit__between_a_flash_deposit_and_its_way_out__costs_no_less(
    costly: Setup, borrowed: int, out: int, max_fee: int, live: int, last_first: bool
) -> None:
    """Filling the buffer for a moment saves nothing: its way out pays what the exit saved."""
    vault, who = costly.vault, costly.actors.depositor
    with costly.chain.isolated():
        vault.set_exit_fee(BUFFER, max_fee, sender=costly.actors.owner)
        costly.report(live)
        alone = vault.previewWithdraw(out)
        before = vault.balanceOf(who)
        vault.deposit(borrowed, who, sender=who)
        for assets in (borrowed, out) if last_first else (out, borrowed):
            vault.withdraw(assets, who, who, sender=who)
        assert before - vault.balanceOf(who) >= alone


def test_exit__someone_else_refills_the_buffer__is_cheaper_then(costly: Setup) -> None:
    """The fee is for scarcity: who comes when there is plenty pays none."""
    vault = costly.vault
    assert exit_fee(vault, 5 * WAD) > 0
    costly.deposit(25 * WAD, costly.actors.holder)
    assert exit_fee(vault, 5 * WAD) == 0


def test_exit__rewards_locked_beside_the_fee__both_unlock(costly: Setup) -> None:
    vault, who = costly.vault, costly.actors.depositor
    vault.pay_rewards(7 * WAD, sender=costly.actors.payer)
    costly.chain.advance(6 * DAY)
    free = vault.idle()
    vault.withdraw(20 * WAD, who, who, sender=who)
    assert vault.locked_profit() == WAD + fee_up(20 * WAD, free)
