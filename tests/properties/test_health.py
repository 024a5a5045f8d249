"""Health, bonus and the size of a liquidation, against exact fractions."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from tests.properties.maths import MAX_112, MAX_128, PRICE_SCALE, WAD, Draw, Maths

EXAMPLES = 4_000
MAX_PRICE = 2**140 - 1
# What one liquidation may repay, for its product with bonus and price scale to fit a word.
MAX_REPAID = 10**23


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


def exact_bonus(terms: Terms, debt: int, worth: int) -> Fraction:
    """Base and the shortfall of health, at most what is left, at least base."""
    health = Fraction(worth * terms.threshold, debt * WAD)
    base, most = Fraction(terms.base, WAD), Fraction(terms.most, WAD)
    left = max(Fraction(worth, debt) - 1, Fraction(0))
    return max(base, min(most, base + max(1 - health, Fraction(0)), left))


def test_bonus__formula__holds_to_its_last_digit(maths: Maths) -> None:
    drawn = cases("bonus")
    examples = [(d, w, t.threshold, t.base, t.most) for t, d, w in drawn]
    answers = list(maths.ask("bonus", examples))
    kinds = set()
    for (terms, debt, worth), bonus in zip(drawn, answers, strict=True):
        exact = exact_bonus(terms, debt, worth) * WAD
        assert abs(bonus - exact) < 1, (terms, debt, worth, bonus)
        assert terms.base <= bonus <= terms.most
        kinds.add((bonus == terms.base, bonus == terms.most))
    assert kinds >= {(True, False), (False, True), (False, False)}


def test_bonus__deeper__pays_more_until_the_collateral_ends(maths: Maths) -> None:
    draw, terms, debt = Draw("deeper"), USUAL, 10**24
    limit = (debt * WAD - 1) // terms.threshold
    worths = sorted((draw.randint(debt, limit) for _ in range(2_000)), reverse=True)
    got = list(
        maths.ask("bonus", [(debt, w, terms.threshold, terms.base, terms.most) for w in worths])
    )
    turn = got.index(max(got))
    assert got[:turn] == sorted(got[:turn])
    payable = [w * WAD // debt - WAD for w in worths]
    assert all(
        bonus == max(terms.base, min(terms.most, left)) or bonus < left
        for bonus, left in zip(got, payable, strict=True)
    )
    assert all(bonus <= max(terms.base, left) for bonus, left in zip(got, payable, strict=True))


def covered(seed: str, maths: Maths) -> list[tuple[Terms, int, int, int, int]]:
    """Terms, debt, worth, worth at the hand-over price, bonus, where a part may be liquidated."""
    draw, drawn = Draw(seed), cases(seed)
    asked = [(d, w, t.threshold, t.base, t.most) for t, d, w in drawn]
    kept = []
    for (terms, debt, worth), bonus in zip(drawn, maths.ask("bonus", asked), strict=True):
        least = ceil(Fraction(debt * (WAD + bonus), WAD))
        if worth < least:
            continue
        handed_over = draw.choice((worth, least, draw.randint(least, worth)))
        kept.append((terms, debt, worth, handed_over, bonus))
    assert len(kept) > EXAMPLES // 4
    return kept


def test_repay_to_target__exact_solution__is_met(maths: Maths) -> None:
    """Within what a step of 1e-18 in the cost of a repayment is worth, and a unit of rounding."""
    drawn = covered("target", maths)
    examples = [(d, w, h, t.threshold, t.target, b) for t, d, w, h, b in drawn]
    answers = maths.ask("repay_to_target_up", examples)
    parts = 0
    for (terms, debt, worth, handed_over, bonus), repaid in zip(drawn, answers, strict=True):
        threshold, target = Fraction(terms.threshold, WAD), Fraction(terms.target, WAD)
        cost = (1 + Fraction(bonus, WAD)) * threshold * Fraction(worth, handed_over)
        assert cost < target
        exact = (target * debt - worth * threshold) / (target - cost)
        # The first step is multiplied by worth / handed_over.
        step = (1 + Fraction(worth, handed_over)) / WAD
        slack = min(exact, Fraction(debt)) * step / (target - cost - step) + 1
        assert abs(repaid - min(exact, Fraction(debt))) <= slack, (terms, debt, worth, repaid)
        assert 0 < repaid <= debt
        parts += repaid < debt
    assert parts > len(drawn) // 4


def test_repay_to_target__no_part_suffices__is_the_debt(maths: Maths) -> None:
    draw = Draw("no part")
    examples = []
    for terms, debt, worth in cases("no part"):
        bonus = draw.randint(terms.base, terms.most)
        # At such a price, what is seized costs more health than the repayment brings.
        most = (WAD + bonus) * terms.threshold * worth // (WAD * terms.target)
        examples.append(
            (debt, worth, draw.randint(0, most // 2), terms.threshold, terms.target, bonus)
        )
    maths.compare("repay_to_target_up", examples, lambda got, debt, *_: got == debt)


def test_part__of_a_covered_position__never_lowers_health(maths: Maths) -> None:
    """Any repayment up to the wanted one; collateral and worth in exact fractions."""
    draw, drawn = Draw("any part"), covered("any part", maths)
    price = PRICE_SCALE
    repaid = [draw.randint(1, min(debt - 1, MAX_REPAID)) for _, debt, *_ in drawn]
    handed = [max(1, price * h // w) for _, _, w, h, _ in drawn]
    asked = [(r, p, b) for r, p, (*_, b) in zip(repaid, handed, drawn, strict=True)]
    improved = 0
    for (_, debt, worth, _, bonus), r, p, seized in zip(
        drawn, repaid, handed, maths.ask("seized_down", asked), strict=True
    ):
        if Fraction(p * worth, price) < debt * (1 + Fraction(bonus, WAD)):
            # The price was rounded to where the position would go whole.
            continue
        assert Fraction(worth - seized, debt - r) >= Fraction(worth, debt)
        improved += Fraction(worth - seized, debt - r) > Fraction(worth, debt)
    assert improved > len(drawn) // 2


def test_repay_for_all_up__exact_quotient__is_rounded_up(maths: Maths) -> None:
    draw = Draw("all")
    examples = [(draw.amount(2**180), draw.amount(WAD)) for _ in range(EXAMPLES)]
    maths.compare(
        "repay_for_all_up",
        examples,
        lambda got, worth, bonus: got == ceil(Fraction(worth * WAD, WAD + bonus)),
    )


def test_seized_down__exact_quotient__is_rounded_down(maths: Maths) -> None:
    draw = Draw("seized")
    examples = [
        (draw.amount(MAX_REPAID), draw.amount(MAX_PRICE, least=1), draw.amount(WAD // 10))
        for _ in range(EXAMPLES)
    ]
    maths.compare(
        "seized_down",
        examples,
        lambda got, repaid, price, bonus: (
            got == floor(Fraction(repaid * (WAD + bonus) * PRICE_SCALE, WAD * price))
        ),
    )
