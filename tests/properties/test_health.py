"""Health, bonus and the size of a liquidation, against exact fractions."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from tests.properties.maths import MAX_112, MAX_128, PRICE_SCALE, WAD, Draw, Maths

EXAMPLES = 2_000
MAX_PRICE = 2**140 - 1


@dataclass(frozen=True)
class Terms:
    """Terms that a market accepts: (1 + most) * threshold is below one."""

    threshold: int
    target: int
    base: int
    most: int

    @classmethod
    def of(cls, draw: Draw) -> "Terms":
        threshold = draw.randint(WAD // 2, WAD - 1)
        room = (WAD * WAD - 1) // threshold - WAD
        most = draw.randint(0, min(room, WAD // 10))
        return cls(threshold, draw.randint(WAD + 1, 2 * WAD - 1), draw.randint(0, most), most)


# As the local market has them.
USUAL = Terms(93 * 10**16, 103 * 10**16, 10**16, 5 * 10**16)


def unhealthy(draw: Draw, terms: Terms) -> tuple[int, int]:
    """Debt and a worth too small for it, often just so."""
    debt = draw.amount(2**110, least=10**6)
    limit = (debt * WAD - 1) // terms.threshold
    worth = draw.choice(
        (
            limit,
            draw.near(limit, 0, limit),
            limit * draw.randint(900, 1_000) // 1_000,
            draw.randint(0, limit),
        )
    )
    return debt, worth


def cases(seed: str) -> list[tuple[Terms, int, int]]:
    """Terms, and debt and worth of an unhealthy position."""
    draw = Draw(seed)
    drawn = []
    for number in range(EXAMPLES):
        terms = USUAL if number % 2 else Terms.of(draw)
        drawn.append((terms, *unhealthy(draw, terms)))
    return drawn


def test_worth_down__exact_product__is_rounded_down(maths: Maths) -> None:
    draw = Draw("worth")
    examples = [
        (draw.amount(2**112 - 1 if n % 2 else MAX_128 >> 12), draw.amount(MAX_PRICE))
        for n in range(EXAMPLES)
    ]
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


def exact_bonus(terms: Terms, debt: int, worth: int, handed_over: int) -> Fraction:
    """Base and the shortfall of health, at most what is left, at least base."""
    health = Fraction(worth * terms.threshold, debt * WAD)
    base, most = Fraction(terms.base, WAD), Fraction(terms.most, WAD)
    left = Fraction(handed_over, debt) - 1
    return max(base, min(most, base + max(1 - health, Fraction(0)), left))


def asked(terms: Terms, debt: int, worth: int, handed_over: int) -> tuple[int, ...]:
    return debt, worth, handed_over, terms.threshold, terms.base, terms.most


def test_bonus__formula__holds_to_its_last_digit(maths: Maths) -> None:
    draw = Draw("hand over")
    drawn = [(t, d, w, draw.choice((w, draw.randint(0, w)))) for t, d, w in cases("bonus")]
    answers = maths.ask("bonus", [asked(*case) for case in drawn])
    kinds = set()
    for (terms, *numbers), bonus in zip(drawn, answers, strict=True):
        exact = exact_bonus(terms, *numbers) * WAD
        assert abs(bonus - exact) < 1, (terms, numbers, bonus)
        assert terms.base <= bonus <= terms.most
        kinds.add((bonus == terms.base, bonus == terms.most))
    assert kinds >= {(True, False), (False, True), (False, False)}


def test_bonus__deeper__rises_to_its_most_and_falls_with_what_is_left(maths: Maths) -> None:
    # At most 3 %: with the usual terms what is left ends the rise at 4.1 %, before their 5 %.
    draw, terms, debt = Draw("deeper"), replace(USUAL, most=3 * 10**16), 10**24
    limit = (debt * WAD - 1) // terms.threshold
    worths = sorted((draw.randint(debt, limit) for _ in range(2_000)), reverse=True)
    got = list(maths.ask("bonus", [asked(terms, debt, worth, worth) for worth in worths]))
    turn = got.index(max(got))
    assert got[:turn] == sorted(got[:turn])
    assert got[turn:] == sorted(got[turn:], reverse=True)
    assert got[0] < terms.most == got[turn] > got[-1] == terms.base


def covered(seed: str, maths: Maths) -> list[tuple[Terms, int, int, int, int]]:
    """Terms, debt, worth, worth at the hand-over price, bonus, where a part may be liquidated."""
    draw, drawn = Draw(seed), []
    for terms, debt, worth in cases(seed):
        least = ceil(Fraction(debt * (WAD + terms.base), WAD))
        if worth >= least:
            handed_over = draw.choice((worth, least, draw.randint(least, worth)))
            drawn.append((terms, debt, worth, handed_over))
    answers = maths.ask("bonus", [asked(*case) for case in drawn])
    kept = [
        (*case, bonus)
        for case, bonus in zip(drawn, answers, strict=True)
        if case[3] * WAD >= case[1] * (WAD + bonus)
    ]
    assert len(kept) > EXAMPLES // 4
    return kept


def test_repay_to_target__exact_solution__is_rounded_up_by_little(maths: Maths) -> None:
    """By no more than what two steps of 1e-18 in the cost of a repayment are worth, and a unit."""
    drawn = covered("target", maths)
    examples = [(d, w, h, t.threshold, t.target, b) for t, d, w, h, b in drawn]
    answers = maths.ask("repay_to_target_up", examples)
    parts = 0
    for (terms, debt, worth, handed_over, bonus), repaid in zip(drawn, answers, strict=True):
        threshold, target = Fraction(terms.threshold, WAD), Fraction(terms.target, WAD)
        cost = (1 + Fraction(bonus, WAD)) * threshold * Fraction(worth, handed_over)
        # Rounded once before it is multiplied by worth / handed_over, and once after.
        step = (1 + Fraction(worth, handed_over)) / WAD
        missing = target * debt - worth * threshold
        exact = min(missing / (target - cost), Fraction(debt))
        most = debt if cost + step >= target else min(missing / (target - cost - step), debt)
        assert exact <= repaid < most + 1, (terms, debt, worth, handed_over, bonus, repaid)
        parts += repaid < debt
    assert parts > len(drawn) // 4


def test_repay_to_target__no_part_suffices__is_the_debt(maths: Maths) -> None:
    draw = Draw("no part")
    examples = []
    for terms, debt, worth in cases("no part"):
        bonus = draw.randint(terms.base, terms.most)
        # At such a price, what is seized costs more health than the repayment brings.
        most = (WAD + bonus) * terms.threshold * worth // (WAD * terms.target)
        if most > 0:
            handed_over = draw.near(most, 1, most)
            examples.append((debt, worth, handed_over, terms.threshold, terms.target, bonus))
    assert len(examples) > EXAMPLES // 2
    maths.compare("repay_to_target_up", examples, lambda got, debt, *_: got == debt)


def test_part__of_a_covered_position__never_lowers_health(maths: Maths) -> None:
    """Any repayment: what is left is covered no worse, collateral counted at a price of one."""
    draw, drawn = Draw("any part"), covered("any part", maths)
    repaid = [draw.amount(debt - 1, least=1) for _, debt, *_ in drawn]
    prices = [ceil(Fraction(PRICE_SCALE * h, w)) for _, _, w, h, _ in drawn]
    seizures = maths.ask(
        "seized_down",
        [(r, p, bonus) for r, p, (*_, bonus) in zip(repaid, prices, drawn, strict=True)],
    )
    improved = 0
    for (_, debt, worth, _, _), part, seized in zip(drawn, repaid, seizures, strict=True):
        before, after = Fraction(worth, debt), Fraction(worth - seized, debt - part)
        assert after >= before, (debt, worth, part, seized)
        improved += after > before
    assert improved > len(drawn) // 2


def test_repay_for_all_up__exact_quotient__is_rounded_up(maths: Maths) -> None:
    draw = Draw("all")
    examples = [(draw.amount(2**180), draw.amount(WAD)) for _ in range(EXAMPLES)]
    maths.compare(
        "repay_for_all_up",
        examples,
        lambda got, worth, bonus: got == ceil(Fraction(worth * WAD, WAD + bonus)),
    )


def test_seized_down__bonus_and_price__are_each_rounded_down(maths: Maths) -> None:
    draw = Draw("seized")
    # The price scale is 2**120: the dearest repayment at a bonus of a tenth still fits.
    examples = [
        (draw.amount(MAX_112), draw.amount(MAX_PRICE, least=1), draw.amount(WAD // 10))
        for _ in range(EXAMPLES)
    ]
    maths.compare(
        "seized_down",
        examples,
        lambda got, repaid, price, bonus: (
            got == floor(Fraction(floor(repaid * (1 + Fraction(bonus, WAD))) * PRICE_SCALE, price))
        ),
    )
