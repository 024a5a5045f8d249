"""`make scenarios` with fewer positions: its claims, checked without its own reckoning."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from bench.morpho import compile_morpho
from bench.scenarios import document, figures, main, run
from relever.protocol import PRICE_SCALE, WAD
from relever.risk import DEPEG_THAT_HEALS, Moment, Position, Stage, ladder, straight
from relever.risk.scenarios import HALTED, Scenario, most_in_an_hour

POSITIONS = 12
HOUR = 3_600
Played = tuple[Stage, dict[str, Scenario]]


@pytest.fixture(scope="module")
def played() -> Played:
    stage, scenarios = run(POSITIONS, compile_morpho(_quiet), _quiet)
    return stage, {scenario.name: scenario for scenario in scenarios}


def test_slash__most_leveraged_liquidated__lenders_whole_to_the_wei(played: Played) -> None:
    stage, scenarios = played
    ours = scenarios["slash"].ours
    touched = {one.done.owner for one in ours.taken}
    assert 0 < len(touched) < POSITIONS
    assert [plan.owner in touched for plan in stage.plans] == sorted(
        plan.owner in touched for plan in stage.plans
    )
    assert ours.books_after.lenders == ours.books_before.lenders
    assert ours.books_after.fee_claim == ours.books_before.fee_claim > 0
    assert ours.books_after.supplied == ours.books_before.supplied
    assert ours.bad_debt == 0
    # A part of each is enough.
    assert ours.closed == 0
    assert _failed(scenarios["slash"]) == []


def test_large_slash__bad_debt__every_unit_of_the_loss_is_borne_once(played: Played) -> None:
    _, scenarios = played
    ours = scenarios["large_slash"].ours
    before, after = ours.books_before, ours.books_after
    collateral = sum(position.collateral for position in ours.positions_before)
    slashed = collateral * (ours.price_before - ours.price_after)
    liquidators = ours.got * ours.price_after - ours.paid * PRICE_SCALE
    assert slashed > 0
    assert liquidators > 0
    bad_debt = before.supplied - after.supplied
    assert bad_debt == ours.bad_debt > 0
    # Nobody else is there to bear it.
    assert sum(ours.loss_by_borrower()) + bad_debt * PRICE_SCALE == slashed + liquidators
    # The protocol's claim goes first, and the lenders share the rest by what they lent.
    assert (before.fee_claim, after.fee_claim) == (ours.bad_debt - ours.lenders_loss, 0)
    losses = [was - now for was, now in zip(before.lenders, after.lenders, strict=True)]
    assert abs(sum(losses) - ours.lenders_loss) <= len(losses) + 1
    for number, loss in enumerate(losses, 1):
        assert abs(loss - losses[0] * number) <= number + 1
    lines = ours.who_bears_it()
    assert lines["= to be borne"] == lines["= borne"]
    assert _failed(scenarios["large_slash"]) == []


def test_large_slash__above_one_per_cent__borrowing_halts_for_a_day(played: Played) -> None:
    _, scenarios = played
    ours = scenarios["large_slash"].ours
    assert ours.lenders_loss * 100 > ours.books_before.supplied
    assert ours.borrowing_refused == HALTED
    assert ours.borrowing_refused_a_day_later == ""
    assert scenarios["slash"].ours.borrowing_refused == ""


def test_depeg__healed__costs_a_fraction_of_a_sale_at_the_market_price(played: Played) -> None:
    stage, scenarios = played
    ours, peer = scenarios["depeg_that_heals"].outcomes
    assert ours.price_after == ours.price_before
    losses = ours.loss_by_borrower()
    elsewhere = [
        _loss_at_market_price(stage, position, ours.price_before, DEPEG_THAT_HEALS)
        for position in ours.positions_before
    ]
    assert all(loss <= other for loss, other in zip(losses, elsewhere, strict=True))
    assert 0 < sum(losses) * 10 < sum(elsewhere)
    # Morpho Blue does just this, with an incentive above our base bonus.
    assert peer.touched == peer.closed == sum(loss > 0 for loss in elsewhere)
    assert sum(elsewhere) < sum(peer.loss_by_borrower())
    assert ours.bad_debt == 0
    assert _failed(scenarios["depeg_that_heals"]) == []


def test_depeg__healed__deleverages_an_allowance_an_hour_at_most(played: Played) -> None:
    stage, scenarios = played
    ours, share = scenarios["depeg_that_heals"].ours, stage.terms.deleverage_share
    assert ours.taken
    assert all(one.done.deleverage for one in ours.taken)
    for position, owner in zip(ours.positions_before, ours.owners, strict=True):
        # The debt grows by interest; nobody's by more than everybody's.
        allowance = (position.debt + ours.interest) * share // WAD
        mine = [one for one in ours.taken if one.done.owner == owner]
        for first in mine:
            window = [one for one in mine if first.time <= one.time]
            # A full allowance at first, and what comes back by the last.
            elapsed = window[-1].time - first.time
            repaid = sum(one.done.repaid for one in window)
            assert repaid <= allowance + allowance * elapsed // HOUR + len(window)


def test_depeg__never_healed__books_still_balance(played: Played) -> None:
    _, scenarios = played
    stayed, healed = scenarios["depeg_that_stays"], scenarios["depeg_that_heals"]
    assert stayed.ours.repaid > healed.ours.repaid
    assert max(most_in_an_hour(stayed.ours)) > 0
    assert _failed(stayed) == []


def test_document__every_scenario__amounts_are_whole(played: Played) -> None:
    stage, scenarios = played
    found = document(stage, list(scenarios.values()))
    assert [scenario["name"] for scenario in found["scenarios"]] == list(scenarios)
    outcome, peer = found["scenarios"][0]["outcomes"]
    assert (outcome["venue"], peer["venue"]) == ("Relever", "Morpho Blue")
    assert int(outcome["books_before"]["supplied"]) == scenarios["slash"].ours.books_before.supplied
    assert outcome["figures"] == figures(scenarios["slash"].ours)


@pytest.mark.parametrize("count", ["1", "1001", "many"])
def test_main__impossible_count__refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--positions", count])
    assert ended.value.code == 2
    assert "--positions" in capsys.readouterr().err


def test_ladder__a_dozen__from_2x_to_the_maximum() -> None:
    max_ltv = 91 * WAD // 100
    plans = ladder([str(number) for number in range(POSITIONS)], WAD, PRICE_SCALE, max_ltv)
    assert plans[0].debt * 2 == plans[0].collateral
    worst = plans[-1]
    assert worst.collateral * max_ltv // WAD - 1 <= worst.debt <= worst.collateral * max_ltv // WAD
    steps = [after.leverage - before.leverage for before, after in pairwise(plans)]
    assert max(steps) - min(steps) <= 1
    # One in ten is ten times as large, the most leveraged first.
    large = [index for index, plan in enumerate(plans) if plan.collateral - plan.debt > 2 * WAD]
    assert large == [1, 11]


def test_straight__corners__moments_between_them() -> None:
    assert straight([(0, 0), (4, 8), (6, 0)], 2) == [Moment(2, 4), Moment(4, 8), Moment(6, 0)]
    with pytest.raises(ValueError, match="no whole number of steps"):
        straight([(0, 0), (5, 8)], 2)


def _quiet(said: str) -> None:
    """Progress that nobody reads."""


def _failed(scenario: Scenario) -> list[str]:
    return [check.sentence for check in scenario.checks if not check.ok]


def _loss_at_market_price(
    stage: Stage, position: Position, price: int, path: Sequence[Moment]
) -> int:
    """What a borrower loses whose debt is paid whole when the market price breaches the threshold.

    At the base bonus, counted at the price before and after, in units of 1e-36 wei.
    """
    for moment in path:
        market = price * (WAD - moment.discount) // WAD
        worth = position.collateral * market // PRICE_SCALE
        if position.debt * WAD > worth * stage.terms.threshold:
            paid = position.debt * (WAD + stage.terms.base_bonus) * WAD
            seized = min(position.collateral, paid // market)
            return seized * price - position.debt * PRICE_SCALE
    return 0
