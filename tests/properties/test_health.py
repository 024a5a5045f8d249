"""Health, bonus and the size of a liquidation, against exact fractions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, gcd
from typing import NamedTuple

from tests.properties.maths import MAX_112, PRICE_SCALE, WAD, Draw, Maths

EXAMPLES = 4_000
MAX_PRICE = 2**140 - 1
# A bonus is scaled by this.
E36 = 10**36
# Units of a repayment that buy nothing.
UNPAID = 2


@dataclass(frozen=True)
class Terms:
    """Terms that the factory accepts, all in WAD: (1 + most) * threshold is below one."""

    threshold: int
    target: int
    base: int
    most: int

    @classmethod
    def of(cls, draw: Draw) -> Terms:
        threshold = draw.randint(WAD // 2, WAD - 1)
        room = (WAD * WAD - 1) // threshold - WAD
        most = draw.randint(0, min(room, WAD // 10))
        return cls(threshold, draw.randint(WAD + 1, 2 * WAD - 1), draw.randint(0, most), most)


# As the local market has them.
USUAL = Terms(93 * 10**16, 103 * 10**16, 10**16, 5 * 10**16)


class Case(NamedTuple):
    """A position that is unhealthy at its price, and the price at which it is handed over."""

    terms: Terms
    collateral: int
    debt: int
    price: int
    hand_over: int

    @property
    def worth(self) -> int:
        return self.collateral * self.price // PRICE_SCALE

    @property
    def health(self) -> Fraction:
        return health(self.terms, self.collateral, self.debt, self.price)

    @property
    def handed_over(self) -> Fraction:
        """What the collateral is worth at the hand-over price."""
        return Fraction(self.collateral * self.hand_over, PRICE_SCALE)

    @property
    def covered(self) -> bool:
        """By the hand-over price and the base bonus: only then may a part be liquidated."""
        return self.handed_over >= self.debt * (1 + Fraction(self.terms.base, WAD))


def health(terms: Terms, collateral: int, debt: int, price: int) -> Fraction:
    return Fraction(collateral * price * terms.threshold, PRICE_SCALE * WAD * debt)


def cases(seed: str) -> list[Case]:
    """Of every size, often only just unhealthy; handed over at the price, or for less."""
    draw, drawn = Draw(seed), list[Case]()
    while len(drawn) < EXAMPLES:
        terms = USUAL if len(drawn) % 2 else Terms.of(draw)
        collateral, debt = draw.amount(MAX_112, least=1), draw.amount(2**110, least=1)
        # The greatest price at which it is unhealthy.
        edge = (debt * WAD * PRICE_SCALE - 1) // (collateral * terms.threshold)
        if not 1 <= edge <= MAX_PRICE:
            continue
        price = draw.choice(
            (
                edge,
                draw.near(edge, 1, edge),
                max(edge * draw.randint(900, 1_000) // 1_000, 1),
                draw.randint(1, edge),
            )
        )
        least = ceil(Fraction(debt * (WAD + terms.base) * PRICE_SCALE, WAD * collateral))
        lower = draw.randint(min(least, price), price)
        hand_over = draw.choice((price, lower, min(least, price), draw.randint(1, price)))
        drawn.append(Case(terms, collateral, debt, price, hand_over))
    return drawn


def covered(seed: str) -> list[Case]:
    kept = [case for case in cases(seed) if case.covered]
    assert len(kept) > EXAMPLES // 4
    return kept


def bonuses(maths: Maths, drawn: list[Case]) -> Iterator[int]:
    asked = [
        (c.collateral, c.price, c.debt, c.terms.threshold, c.terms.base, c.terms.most)
        for c in drawn
    ]
    return maths.ask("bonus", asked)


def test_worth_down__exact_product__is_rounded_down(maths: Maths) -> None:
    draw = Draw("worth")
    examples = [(draw.amount(MAX_112), draw.amount(MAX_PRICE)) for _ in range(EXAMPLES)]
    maths.compare(
        "worth_down", examples, lambda got, c, p: got == floor(Fraction(c * p, PRICE_SCALE))
    )


def test_within__exact_ratio__decides_at_the_bound_too(maths: Maths) -> None:
    draw = Draw("within")
    examples = []
    for _ in range(EXAMPLES):
        worth, ltv = draw.amount(2**180), draw.randint(1, WAD)
        limit = min(worth * ltv // WAD, MAX_112)
        debt = draw.near(limit, 0, MAX_112) if draw.random() < 0.7 else draw.amount(MAX_112)
        examples.append((debt, worth, ltv))
    answers = list(maths.ask("within", examples))
    assert answers == [Fraction(d, 1) <= Fraction(w * ltv, WAD) for d, w, ltv in examples]
    assert EXAMPLES // 10 < sum(answers) < EXAMPLES * 9 // 10


def test_pays__exact_worth__decides_at_the_bound_too(maths: Maths) -> None:
    """Whether collateral covers debt and bonus: no unit is lost in between."""
    drawn = cases("pays")
    asked = [(c.collateral, c.hand_over, c.debt, c.terms.base) for c in drawn]
    answers = list(maths.ask("pays", asked))
    assert answers == [case.covered for case in drawn]
    assert EXAMPLES // 10 < sum(answers) < EXAMPLES * 9 // 10


# Bonus


def test_bonus__formula__is_at_most_a_hair_more(maths: Maths) -> None:
    """Health is cut twice, the first time to 1e-18 of a unit of worth."""
    drawn = cases("bonus")
    kinds = set()
    for case, bonus in zip(drawn, bonuses(maths, drawn), strict=True):
        base, most = Fraction(case.terms.base, WAD), Fraction(case.terms.most, WAD)
        exact = min(most, base + 1 - case.health) * E36
        assert exact <= bonus <= exact + 1 + Fraction(case.terms.threshold, case.debt), (
            case,
            bonus,
        )
        assert case.terms.base * WAD <= bonus <= case.terms.most * WAD
        kinds.add((bonus == case.terms.base * WAD, bonus == case.terms.most * WAD))
    assert kinds >= {(False, True), (False, False)}


def test_bonus__healthy__is_the_base(maths: Maths) -> None:
    """As a deleverage pays it, whatever most there is."""
    draw, asked = Draw("healthy"), list[tuple[int, ...]]()
    while len(asked) < EXAMPLES:
        terms = Terms.of(draw)
        collateral, debt = draw.amount(MAX_112, least=1), draw.amount(2**110, least=1)
        # Up, so that the cut health is still one.
        edge = (debt * WAD * PRICE_SCALE) // (collateral * terms.threshold) + PRICE_SCALE
        if edge <= MAX_PRICE:
            price = draw.choice((edge, draw.randint(edge, MAX_PRICE)))
            asked.append((collateral, price, debt, terms.threshold, terms.base, terms.most))
    maths.compare("bonus", asked, lambda got, *terms: got == terms[4] * WAD)


def test_bonus__deeper__never_falls_and_ends_at_its_most(maths: Maths) -> None:
    draw, collateral, debt = Draw("deeper"), 10**24, 9 * 10**23
    edge = (debt * WAD * PRICE_SCALE - 1) // (collateral * USUAL.threshold)
    prices = sorted((draw.randint(edge * 9 // 10, edge) for _ in range(EXAMPLES)), reverse=True)
    drawn = [Case(USUAL, collateral, debt, price, price) for price in [edge, *prices]]
    got = list(bonuses(maths, drawn))
    assert all(less <= more for less, more in pairwise(got))
    assert USUAL.base * WAD <= got[0] < USUAL.base * WAD * 1001 // 1000
    assert got[-1] == USUAL.most * WAD


# Size


def sizes(maths: Maths, drawn: list[Case]) -> list[tuple[Case, int, int]]:
    """Each case with its bonus and the repayment that restores its target."""
    with_bonus = list(zip(drawn, bonuses(maths, drawn), strict=True))
    asked = [
        (c.debt, c.worth, c.price, c.hand_over, c.terms.threshold, c.terms.target, bonus)
        for c, bonus in with_bonus
    ]
    answers = maths.ask("repay_to_target_up", asked)
    return [
        (case, bonus, repaid) for (case, bonus), repaid in zip(with_bonus, answers, strict=True)
    ]


def test_repay_to_target__exact_solution__is_rounded_up_by_little(maths: Maths) -> None:
    """By no more than a unit of worth, two steps of 1e-18 in its cost of health, and a unit."""
    parts = 0
    drawn = sizes(maths, covered("target"))
    for case, bonus, repaid in drawn:
        terms, debt = case.terms, case.debt
        threshold, target = Fraction(terms.threshold, WAD), Fraction(terms.target, WAD)
        ratio = Fraction(case.price, case.hand_over)
        cost = (1 + Fraction(bonus, E36)) * threshold * ratio
        worth = Fraction(case.collateral * case.price, PRICE_SCALE)
        exact = debt if cost >= target else (target * debt - worth * threshold) / (target - cost)
        # Rounded once before it is multiplied by the ratio of the prices, and once after.
        step = (1 + ratio) / WAD
        most = Fraction(debt)
        if cost + step < target:
            missing = target * debt - (worth - 1) * threshold
            most = min(missing / (target - cost - step), most)
        assert min(exact, debt) <= repaid < most + 1, (case, bonus, repaid)
        parts += repaid < debt
    assert parts > len(drawn) // 4


def test_repay_to_target__a_unit_less__does_not_reach_it(maths: Maths) -> None:
    """At a price of one no worth is rounded, and of 1e12 units at most 1e-18 is no part of one."""
    draw, drawn = Draw("a unit less"), list[Case]()
    while len(drawn) < EXAMPLES:
        debt = draw.randint(10**6, 10**12)
        least = ceil(Fraction(debt * (WAD + USUAL.base), WAD))
        edge = (debt * WAD - 1) // USUAL.threshold
        collateral = draw.choice((edge, draw.randint(least, edge)))
        drawn.append(Case(USUAL, collateral, debt, PRICE_SCALE, PRICE_SCALE))
    parts = 0
    for case, bonus, repaid in sizes(maths, drawn):
        if repaid < case.debt:
            for part, reaches in ((repaid, True), (repaid - 1, False)):
                kept = case.collateral - part * (1 + Fraction(bonus, E36))
                after = kept * Fraction(USUAL.threshold, WAD) / (case.debt - part)
                assert (after >= Fraction(USUAL.target, WAD)) is reaches, (case, bonus, repaid)
            parts += 1
    assert parts > EXAMPLES // 2


def test_repay_to_target__each_division__is_rounded_up(maths: Maths) -> None:
    """By where one of the three leaves a remainder of one: all of its rounding shows only there."""
    threshold, target, bonus = USUAL.threshold, USUAL.target + 1, USUAL.base * WAD
    lost = (E36 + bonus) * threshold // E36
    asked = list[tuple[int, ...]]()
    for units in range(1, 101):
        missing = units * (target - lost) + 1
        debt = missing * pow(target, -1, threshold) % threshold
        worth = (target * debt - missing) // threshold
        asked.append((debt, worth, E36, E36, threshold, target, bonus))
    debt, worth = 10**33, 107 * 10**31
    for hand_over in range(10**6, 10**6 + 2_000):
        if gcd(lost, hand_over) == 1:
            price = hand_over + pow(lost, -1, hand_over)
            if price <= hand_over * 105 // 100:
                asked.append((debt, worth, price, hand_over, threshold, target, bonus))
    for odd in range(threshold // 10 * 10 + 1, threshold + 2_000, 10):
        if pow(odd, -1, E36) <= E36 // 20:
            asked.append((debt, worth, E36, E36, odd, target, pow(odd, -1, E36)))

    def exact(debt: int, worth: int, *terms: int) -> int:
        price, hand_over, threshold, target, bonus = terms
        lost = ceil(Fraction((E36 + bonus) * threshold, E36))
        cost = ceil(Fraction(lost * price, hand_over))
        return ceil(Fraction(target * debt - worth * threshold, target - cost))

    assert len(asked) > 120
    maths.compare("repay_to_target_up", asked, lambda got, *case: got == exact(*case) < case[0])


def test_repay_to_target__no_part_suffices__is_the_debt(maths: Maths) -> None:
    """At such a hand-over price, what is seized costs more health than the repayment brings."""
    draw, examples = Draw("no part"), []
    for case in cases("no part"):
        terms = case.terms
        bonus = draw.randint(terms.base * WAD, terms.most * WAD)
        most = (E36 + bonus) * terms.threshold * case.price // (E36 * terms.target)
        if most > 0:
            hand_over = draw.near(most, 1, most)
            terms_asked = (terms.threshold, terms.target, bonus)
            examples.append((case.debt, case.worth, case.price, hand_over, *terms_asked))
    assert len(examples) > EXAMPLES // 2
    maths.compare("repay_to_target_up", examples, lambda got, debt, *_: got == debt)


def test_repay_for_all_up__exact_quotient__is_rounded_up(maths: Maths) -> None:
    draw = Draw("all")
    examples = [(draw.amount(2**140), draw.amount(WAD)) for _ in range(EXAMPLES)]
    # A remainder of one.
    examples += [(pow(WAD, -1, WAD + bonus), bonus) for bonus in (1, 3, 7, WAD // 100 + 1)]
    maths.compare(
        "repay_for_all_up",
        examples,
        lambda got, worth, bonus: got == ceil(Fraction(worth * WAD, WAD + bonus)),
    )


# Seizing


def seizures(maths: Maths, seed: str) -> list[tuple[Case, int, int, int]]:
    """Each case with its bonus, a repayment of any size, and what it seizes."""
    draw, drawn = Draw(seed + " repaid"), covered(seed)
    asked, parts = [], []
    for case, bonus in zip(drawn, bonuses(maths, drawn), strict=True):
        repaid = draw.amount(case.debt, least=1)
        parts.append((case, bonus, repaid))
        asked.append((repaid, case.collateral, case.debt, case.hand_over, bonus))
    answers = maths.ask("seized_down", asked)
    return [(*part, seized) for part, seized in zip(parts, answers, strict=True)]


def test_seized_down__two_units_unpaid__is_the_lesser_of_paid_for_and_the_part(
    maths: Maths,
) -> None:
    bounds: set[bool] = set()
    for case, bonus, repaid, seized in seizures(maths, "seized"):
        paid = max(repaid - UNPAID, 0)
        for_it = paid * (1 + Fraction(bonus, E36)) * PRICE_SCALE / case.hand_over
        part = Fraction(paid * case.collateral, case.debt)
        assert seized == floor(min(for_it, part)), (case, bonus, repaid)
        if repaid > UNPAID and for_it != part:
            bounds.add(for_it < part)
    assert bounds == {True, False}


def test_part__of_a_covered_position__always_raises_health(maths: Maths) -> None:
    """Whatever is repaid: the liquidator takes a lesser part of the collateral than of the debt."""
    parts = 0
    for case, _, repaid, seized in seizures(maths, "any part"):
        assert seized < case.collateral
        if repaid < case.debt:
            rest = Fraction(case.collateral - seized, case.debt - repaid)
            assert rest > Fraction(case.collateral, case.debt), (case, repaid, seized)
            parts += 1
    assert parts > EXAMPLES // 5


def test_parts__together__seize_no_more_than_one(maths: Maths) -> None:
    """Two to six of them in turn, each with the bonus of what is left, and their sum at once."""
    draw, drawn = Draw("split"), covered("split")
    first = bonuses(maths, drawn)
    totals = [draw.amount(case.debt, least=1) for case in drawn]
    asked = [
        (total, c.collateral, c.debt, c.hand_over, bonus)
        for total, c, bonus in zip(totals, drawn, first, strict=True)
    ]
    whole = list(maths.ask("seized_down", asked))

    number = [draw.randint(2, 6) for _ in drawn]
    left = list(drawn)
    seized, open_ = [0] * len(drawn), list(totals)
    less = 0
    for step in range(6):
        going = [n for n, case in enumerate(left) if step < number[n] and open_[n] > 0]
        now = list(bonuses(maths, [left[n] for n in going]))
        parts = []
        for n in going:
            last = step == number[n] - 1
            parts.append(open_[n] if last else draw.amount(open_[n], least=1))
        asked = [
            (part, left[n].collateral, left[n].debt, left[n].hand_over, bonus)
            for n, part, bonus in zip(going, parts, now, strict=True)
        ]
        for n, part, got in zip(going, parts, maths.ask("seized_down", asked), strict=True):
            case = left[n]
            seized[n] += got
            open_[n] -= part
            left[n] = case._replace(collateral=case.collateral - got, debt=case.debt - part)
            if left[n].debt == 0:
                assert open_[n] == 0
    for case, total, once, often in zip(drawn, totals, whole, seized, strict=True):
        assert often <= once, (case, total)
        less += often < once
    assert open_ == [0] * len(drawn)
    assert less > len(drawn) // 2
