"""What may change: caps and fee."""

import pytest

from tests.unit.market.conftest import (
    BORROW_CAP,
    CAPS,
    FEE,
    MAX_CAP,
    SUPPLY_CAP,
    UNLIMITED,
    WAD,
    Setup,
)

MAX_FEE = 25 * 10**16
# What the fee is counted in.
FEE_STEP = 10**12


@pytest.mark.parametrize("caps", [(0, 0, 0), (MAX_CAP, MAX_CAP, MAX_FEE), (1, 2, FEE_STEP)])
def test_set_caps__owner__sets_them(setup: Setup, caps: tuple[int, int, int]) -> None:
    receipt = setup.market.set_caps(caps, sender=setup.actors.owner)
    supply, borrow, fee = caps
    assert receipt.events == [setup.event("CapsSet", supply=supply, borrow=borrow, fee=fee)]
    assert tuple(setup.market.caps()) == caps


@pytest.mark.parametrize(
    "caps",
    [
        CAPS,
        (0, 0, FEE),
        (SUPPLY_CAP - 1, BORROW_CAP, FEE),
        (SUPPLY_CAP, BORROW_CAP - 1, FEE),
    ],
)
def test_set_caps__guardian__may_lower(setup: Setup, caps: tuple[int, int, int]) -> None:
    receipt = setup.market.set_caps(caps, sender=setup.actors.guardian)
    supply, borrow, fee = caps
    assert receipt.events == [setup.event("CapsSet", supply=supply, borrow=borrow, fee=fee)]
    assert tuple(setup.market.caps()) == caps


@pytest.mark.parametrize(
    "caps",
    [
        (SUPPLY_CAP + 1, BORROW_CAP, FEE),
        (SUPPLY_CAP, BORROW_CAP + 1, FEE),
        (0, BORROW_CAP + 1, FEE),
        (SUPPLY_CAP + 1, 0, FEE),
        (0, 0, FEE - 1),
        (0, 0, FEE + 1),
    ],
)
def test_set_caps__guardian_does_more__reverts(setup: Setup, caps: tuple[int, int, int]) -> None:
    with setup.refused("market: guardian only lowers"):
        setup.market.set_caps(caps, sender=setup.actors.guardian)


def test_set_caps__anyone_else__reverts(setup: Setup) -> None:
    for caller in (setup.actors.stranger, setup.actors.lender, setup.actors.manager):
        with setup.refused("market: not owner or guardian"):
            setup.market.set_caps((0, 0, FEE), sender=caller)


def test_set_caps__new_guardian__is_the_factorys(setup: Setup) -> None:
    setup.factory.set_guardian(setup.actors.manager, sender=setup.actors.owner)
    with setup.refused("market: not owner or guardian"):
        setup.market.set_caps((0, 0, FEE), sender=setup.actors.guardian)
    setup.market.set_caps((0, 0, FEE), sender=setup.actors.manager)


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        ((MAX_CAP + 1, 0, 0), "market: cap width"),
        ((0, MAX_CAP + 1, 0), "market: cap width"),
        ((UNLIMITED, UNLIMITED, 0), "market: cap width"),
        ((0, 0, 1), "market: fee"),
        ((0, 0, FEE + FEE_STEP - 1), "market: fee"),
        ((0, 0, MAX_FEE + 1), "market: fee"),
        ((0, 0, MAX_FEE + FEE_STEP), "market: fee"),
        ((0, 0, UNLIMITED), "market: fee"),
    ],
)
def test_set_caps__out_of_bounds__reverts(
    setup: Setup, caps: tuple[int, int, int], reason: str
) -> None:
    with setup.refused(reason):
        setup.market.set_caps(caps, sender=setup.actors.owner)


def test_set_caps__interest_until_now__is_shared_by_the_old_fee(aged: Setup) -> None:
    market = aged.market
    now = market.state()
    before = now._replace(supply_assets=1_000 * WAD, supply_shares=1_000 * WAD * 10**6)

    receipt = market.set_caps((SUPPLY_CAP, BORROW_CAP, MAX_FEE), sender=aged.actors.owner)

    assert receipt.events == [
        *aged.accrued(before, now),
        aged.event("CapsSet", supply=SUPPLY_CAP, borrow=BORROW_CAP, fee=MAX_FEE),
    ]
    assert market.state() == now


def test_set_caps__below_what_there_is__takes_nothing_away(borrowed: Setup) -> None:
    market, actors = borrowed.market, borrowed.actors
    market.set_caps((WAD, WAD, FEE), sender=actors.guardian)
    assert market.totalAssets() == 1_000 * WAD
    assert market.maxDeposit(actors.lender) == market.maxMint(actors.lender) == 0
    with borrowed.refused("market: supply cap"):
        borrowed.lend(1)
    market.withdraw(WAD, actors.lender, actors.lender, sender=actors.lender)
    market.repay(WAD, actors.borrower, sender=actors.borrower)
