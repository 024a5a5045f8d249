"""The scenarios: what happens, what must be true afterwards, and what is seen in one sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from relever.protocol import WAD
from relever.risk.outcome import Check, Outcome
from relever.risk.paths import DAY, DEPEG_THAT_HEALS, DEPEG_THAT_STAYS, HOUR
from relever.risk.stage import Stage

# Of EigenLayer's operator, which holds three quarters of the stake. No slash of this kind has
# happened yet: both sizes are made up.
SMALL_SLASH = 5 * WAD // 100
LARGE_SLASH = 16 * WAD // 100
HALTED = "market: borrowing halted"


@dataclass(frozen=True)
class Scenario:
    """A scenario that was played; our market's outcome comes first, then the peers'."""

    name: str
    title: str
    sentence: str
    outcomes: tuple[Outcome, ...]
    checks: tuple[Check, ...]
    # Then no interest is in the figures, and they add up to who bears what.
    no_time_passed: bool = False

    @property
    def ours(self) -> Outcome:
        return self.outcomes[0]


def play(stage: Stage, progress: Callable[[str], None]) -> list[Scenario]:
    """Every scenario, each from the same start; `progress` is told what is being played."""
    progress("a slash")
    small = _small_slash(stage, stage.slash(SMALL_SLASH))
    progress("a large slash")
    large = _large_slash(stage, stage.slash(LARGE_SLASH))
    progress("a depeg that heals")
    healed = _healed(stage, stage.depeg(DEPEG_THAT_HEALS))
    progress("a depeg that stays")
    return [small, large, healed, _stayed(stage, stage.depeg(DEPEG_THAT_STAYS))]


def most_in_an_hour(outcome: Outcome) -> list[int]:
    """For each borrower the most that was deleveraged within any hour, in wei of WETH."""
    times: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in outcome.taken:
        if one.done.deleverage:
            times[one.done.owner].append((one.time, one.done.repaid))
    return [
        max(
            (
                sum(repaid for time, repaid in times[owner] if start <= time < start + HOUR)
                for start, _ in times[owner]
            ),
            default=0,
        )
        for owner in outcome.owners
    ]


def percent(part: int, whole: int) -> str:
    """A part in per cent, rounded to two digits, to be shown."""
    return f"{float(Fraction(part * 100, whole)):.2f} %" if whole else "-"


def _fall(outcome: Outcome) -> str:
    return percent(outcome.price_before - outcome.price_after, outcome.price_before)


def _lost(outcome: Outcome) -> str:
    return percent(sum(outcome.loss_by_borrower()), sum(outcome.equity_before()))


def _leverages(stage: Stage, outcome: Outcome) -> tuple[list[int], list[int]]:
    """Leverages of who was touched and of who was not."""
    touched = {one.done.owner for one in outcome.taken}
    inside = [plan.leverage for plan in stage.plans if plan.owner in touched]
    return inside, [plan.leverage for plan in stage.plans if plan.owner not in touched]


def _small_slash(stage: Stage, outcomes: Sequence[Outcome]) -> Scenario:
    ours = outcomes[0]
    inside, outside = _leverages(stage, ours)
    lenders_before, lenders_after = ours.books_before.lenders, ours.books_after.lenders
    claims = zip(lenders_before, lenders_after, strict=True)
    return Scenario(
        name="slash",
        title="A slash that the most leveraged cannot carry",
        sentence=(
            f"The slash takes {_fall(ours)} of the LRT's worth: {ours.touched} of "
            f"{len(ours.owners)} positions, those that were opened at "
            f"{min(inside, default=0) / WAD:.1f}x or more, are cut back to health, and every "
            "lender is owed what it was owed before, to the wei."
        ),
        outcomes=tuple(outcomes),
        checks=(
            *_accounts(outcomes),
            Check("Relever: some positions were liquidated", ours.touched, ">", 0),
            Check(
                "Relever: who was liquidated had more leverage than anyone who was not",
                min(inside, default=0),
                ">",
                max(outside, default=0),
            ),
            Check("Relever: no bad debt", ours.bad_debt, "=", 0),
            Check(
                "Relever: lenders with another claim than before",
                sum(before != after for before, after in claims),
                "=",
                0,
            ),
            Check("Relever: lenders' claims", sum(lenders_after), "=", sum(lenders_before)),
            *_reconciled(outcomes),
        ),
        no_time_passed=True,
    )


def _large_slash(stage: Stage, outcomes: Sequence[Outcome]) -> Scenario:
    ours = outcomes[0]
    before, after = ours.books_before, ours.books_after
    lost = sum(before.lenders) - sum(after.lenders)
    part = percent(ours.lenders_loss, before.supplied)
    short = sum(one.done.bad_debt > 0 for one in ours.taken)
    halted = (
        "borrowing stops for a day" if ours.borrowing_refused == HALTED else "borrowing goes on"
    )
    # Each claim is rounded down, before and after.
    slack = len(before.lenders) + 1
    return Scenario(
        name="large_slash",
        title="A slash that leaves bad debt",
        sentence=(
            f"The slash takes {_fall(ours)} of the LRT's worth: {ours.touched} of "
            f"{len(ours.owners)} positions are liquidated and {short} of them cannot pay all; the "
            "rest is written off, first from the protocol's claim, all of it, then from the "
            f"lenders, who lose {part} of what was supplied, and {halted}."
        ),
        outcomes=tuple(outcomes),
        checks=(
            *_accounts(outcomes),
            *_reconciled(outcomes),
            Check("Relever: bad debt", ours.bad_debt, ">", 0),
            Check("Relever: the protocol's claim went first, all of it", after.fee_claim, "=", 0),
            Check(
                "Relever: the lenders' loss as the market says, but for rounding",
                abs(lost - ours.lenders_loss),
                "<=",
                slack,
            ),
            Check(
                "Relever: a hundred times the lenders' loss is more than was supplied",
                ours.lenders_loss * 100,
                ">",
                before.supplied,
            ),
            Check(
                "Relever: so borrowing halts",
                int(ours.borrowing_refused == HALTED),
                "=",
                1,
            ),
            Check(
                "Relever: a day later one can borrow again",
                len(ours.borrowing_refused_a_day_later),
                "=",
                0,
            ),
        ),
        no_time_passed=True,
    )


def _healed(stage: Stage, outcomes: Sequence[Outcome]) -> Scenario:
    ours, *peers = outcomes
    beside = "".join(
        f" {peer.venue}, whose oracle says the market price, liquidates {peer.touched} and takes "
        f"{_lost(peer)}."
        for peer in peers
    )
    return Scenario(
        name="depeg_that_heals",
        title="A depeg to 0.80 that heals in two hours",
        sentence=(
            "The most leveraged are just short of the threshold when it begins: Relever takes a "
            f"little of {ours.touched} of {len(ours.owners)} positions, which costs all borrowers "
            f"together {_lost(ours)} of their equity.{beside}"
        ),
        outcomes=tuple(outcomes),
        checks=(
            *_accounts(outcomes),
            *_only_deleveraged(stage, ours),
            *(
                Check(
                    f"{peer.venue}'s borrowers lost more (1e-36 wei)",
                    sum(peer.loss_by_borrower()),
                    ">",
                    sum(ours.loss_by_borrower()),
                )
                for peer in peers
            ),
        ),
    )


def _stayed(stage: Stage, outcomes: Sequence[Outcome]) -> Scenario:
    ours = outcomes[0]
    full = sum(not one.done.deleverage for one in ours.taken)
    days = DEPEG_THAT_STAYS[-1].seconds // DAY
    return Scenario(
        name="depeg_that_stays",
        title="The same depeg, which never heals",
        sentence=(
            f"A discount that stays is believed by and by: in {days} days Relever sells down "
            f"{ours.touched} of {len(ours.owners)} positions in {len(ours.taken) - full} small "
            f"parts, then {full} by full liquidation, and the lenders lose "
            f"{_weth(ours.lenders_loss)} WETH."
        ),
        outcomes=tuple(outcomes),
        checks=_accounts(outcomes),
    )


def _only_deleveraged(stage: Stage, ours: Outcome) -> list[Check]:
    share = stage.terms.deleverage_share
    most = zip(most_in_an_hour(ours), ours.positions_before, strict=True)
    return [
        Check("Relever: no bad debt", ours.bad_debt, "=", 0),
        Check(
            "Relever: liquidations that were no deleverage",
            sum(not one.done.deleverage for one in ours.taken),
            "=",
            0,
        ),
        # An allowance that is full and one that comes back within the hour.
        Check(
            "Relever: borrowers deleveraged by more than two allowances in an hour",
            sum(hour * WAD > 2 * share * position.debt for hour, position in most),
            "=",
            0,
        ),
    ]


def _accounts(outcomes: Sequence[Outcome]) -> tuple[Check, ...]:
    return tuple(check for outcome in outcomes for check in outcome.checks())


def _reconciled(outcomes: Sequence[Outcome]) -> list[Check]:
    checks = []
    for outcome in outcomes:
        found, lines = outcome.reconcile(), outcome.who_bears_it()
        rounding = abs(lines["rounding of lines"])
        checks += [
            Check(
                f"{outcome.venue}: slashed + liquidators' gain = borne (1e-36 wei)",
                found.taken,
                "=",
                found.borne,
            ),
            Check(
                f"{outcome.venue}: the lines in wei leave a wei each at most",
                rounding,
                "<=",
                len(lines),
            ),
        ]
    return checks


def _weth(wei: int) -> str:
    return f"{wei / WAD:,.2f}"
