"""No split, order or repetition of liquidations pays more than one, and none worsens what is left.

Said without a price and without a tolerance: parts together seize at most what one liquidation
seizes, and are paid for with at least what one liquidation is paid with that seizes as much. So at
whatever price the collateral is sold, one liquidation of the best size earns as much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Revert
from relever.model import health
from relever.model.clock import Clock
from relever.model.health import E36
from relever.model.market import HOUR, Books, Market, Oracle, Pool, Position, Terms
from relever.model.refused import Refused
from relever.model.rule import Rule
from relever.protocol import deploy_blueprint
from tests.properties.maths import MAX_112, WAD, Draw
from tests.unit.market.conftest import UNLIMITED, create_market, token

EXAMPLES = 3_000
PARTS = 100
MAX_PRICE = 2**140 - 1
OWNER, OTHER, LIQUIDATOR, HELPER = "owner", "other", "liquidator", "helper"
# As the local market has them.
USUAL = Terms(91 * 10**16, 93 * 10**16, 103 * 10**16, 10**16, 5 * 10**16, 10**17, WAD // 10)


def any_terms(draw: Draw, debt: int) -> Terms:
    """Terms that the factory takes, minimum debt of the size of a debt."""
    threshold = draw.choice(
        (USUAL.threshold, draw.randint(2, WAD - 1), draw.randint(WAD // 2, WAD - 1))
    )
    room = min((WAD * WAD - 1) // threshold - WAD, WAD - 1)
    most = draw.choice((draw.randint(0, room), room, min(room, USUAL.max_bonus)))
    return Terms(
        max_ltv=draw.randint(1, threshold - 1),
        threshold=threshold,
        target_health=draw.choice(
            (WAD + 1, USUAL.target_health, draw.randint(WAD + 1, 2 * WAD - 1))
        ),
        base_bonus=draw.choice((0, most, draw.randint(0, most), min(most, USUAL.base_bonus))),
        max_bonus=most,
        min_debt=draw.choice((1, draw.randint(1, debt), max(1, debt // 2))),
        deleverage_share=draw.randint(1, WAD - 1),
    )


def any_prices(draw: Draw) -> Oracle:
    """A fundamental price, and a market price not far below, or the same."""
    fundamental = draw.choice(
        (E36, draw.randint(E36 // 2, 2 * E36), draw.amount(MAX_PRICE, 10**18))
    )
    market = draw.choice(
        (fundamental, fundamental - 1, fundamental * draw.randint(500, 1_000) // 1_000)
    )
    return Oracle(fundamental, market, usable=draw.random() < 0.9)


def borrowed(draw: Draw, books: Books, debt: int) -> int:
    """Debt shares for a debt in a pool of any age: a share is worth a millionth, or more."""
    others = draw.choice((0, draw.amount(2**89)))
    borrow = books.borrow
    borrow.assets += debt + others
    ratio = draw.choice((10**6, draw.randint(10**5, 10**6 - 1), draw.randint(1, 10**6 - 1)))
    borrow.shares += borrow.assets * ratio + draw.randint(0, ratio) * (ratio < 10**6)
    return min(borrow.shares_up(debt), borrow.shares)


def worth_around(draw: Draw, debt: int, threshold: int) -> int:
    """Worth of collateral for which a debt is too much: just so, or by any amount."""
    limit = debt * WAD // threshold
    return draw.choice(
        (
            limit,
            draw.near(limit, 0, limit),
            draw.randint(min(debt, limit), limit),
            limit * 97 // 100,
        )
    )


def drawn(draw: Draw) -> Market | None:
    """A market with one position, mostly unhealthy; None when its amounts cannot be."""
    debt = draw.choice((draw.amount(2**88, least=2), draw.randint(2, 3_000)))
    terms, oracle, books = any_terms(draw, debt), any_prices(draw), Books(1)
    shares = borrowed(draw, books, debt)
    worth = worth_around(draw, debt, terms.threshold)
    collateral = worth * E36 // oracle.fundamental + draw.choice((0, 0, 1))
    market = Market(Clock(time=1), terms, oracle, Rule("factory's owner", "guardian"), books)
    market.positions[OWNER] = Position(collateral, shares)
    books.supply = Pool(books.borrow.assets, books.borrow.assets * 10**6)
    return market if 0 < collateral <= MAX_112 and shares > 0 else None


@dataclass
class Sum:
    """What some liquidations of one position repaid and seized."""

    repaid: int = 0
    seized: int = 0
    parts: int = 0


def exact_health(market: Market, owner: str = OWNER) -> Fraction:
    """Collateral per exact debt: what a liquidation must raise, whatever the price."""
    position, borrow = market.positions[owner], market.books.borrow
    return Fraction(
        position.collateral * (borrow.shares + 10**6), position.debt_shares * (borrow.assets + 1)
    )


def part_of(draw: Draw, style: int, number: int, debt: int, wanted: int) -> int:
    """How much the next liquidation offers: a hundred like parts, small ones, units, any, all."""
    if number == PARTS - 1 or draw.random() < 0.02:
        return MAX_112
    return (
        max(1, wanted // PARTS),
        draw.randint(1, max(1, wanted // 20)),
        draw.randint(1, 4),
        draw.randint(1, max(1, debt)),
        MAX_112 if number else draw.choice((1, 2, 3, max(1, debt // 2))),
    )[style]


def in_parts(draw: Draw, market: Market, wanted: int, reached: Counter[str]) -> Iterator[Sum]:
    """Liquidate until nothing more is to be had; each part must leave what is left healthier."""
    style, total = draw.randrange(5), Sum()
    for number in range(PARTS):
        debt = market.debt(OWNER)
        if debt == 0:
            return
        before = exact_health(market)
        offered = part_of(draw, style, number, debt, wanted)
        try:
            done = market.liquidate(LIQUIDATOR, OWNER, offered)
        except Refused:
            return
        if done.deleverage:
            # Healthy by the fundamental price: what the market price allows is bounded by itself.
            return
        assert not done.bad_debt
        total.repaid += done.repaid
        total.seized += done.seized
        total.parts += 1
        if market.debt(OWNER):
            assert exact_health(market) > before
        reached["parts"] += 1
        reached["a hundred parts"] += total.parts == PARTS
        reached["went whole after a part"] += total.parts > 1 and not market.debt(OWNER)
        yield total


def least_for(market: Market, seized: int, owner: str = OWNER) -> int:
    """The least repayment for which one liquidation of this position seizes so much."""
    terms, oracle, position = market.terms, market.oracle, market.positions[owner]
    debt = market.debt(owner)
    bonus = health.bonus(
        position.collateral, oracle.fundamental, debt, terms.threshold, terms.base_bonus,
        terms.max_bonus,
    )  # fmt: skip
    least, most = 0, debt
    while least < most:
        middle = (least + most) // 2
        got = health.seized_down(middle, position.collateral, debt, oracle.hand_over, bonus)
        if got < seized:
            least = middle + 1
        else:
            most = middle
    return least


def partial(draw: Draw, examples: int) -> Iterator[tuple[Market, int, int]]:
    """Markets whose position can be liquidated in part, with what one liquidation does."""
    found = 0
    while found < examples:
        market = drawn(draw)
        if market is None:
            continue
        try:
            one = deepcopy(market).liquidate(LIQUIDATOR, OWNER, MAX_112)
        except Refused:
            continue
        left = market.debt(OWNER) - one.repaid
        if left > 0 and not one.deleverage and draw.random() < 0.5:
            # The rest just at the minimum, where a unit decides between a part and the whole.
            market.terms = Terms(
                **{**vars(market.terms), "min_debt": max(1, left - draw.choice((0, 0, 1, 7)))}
            )
            one = deepcopy(market).liquidate(LIQUIDATOR, OWNER, MAX_112)
        if one.seized < market.positions[OWNER].collateral and not one.deleverage:
            found += 1
            yield market, one.repaid, one.seized


def test_split__any_parts__pay_no_more_than_one() -> None:
    draw, reached = Draw("split"), Counter[str]()
    for market, repaid, seized in partial(draw, EXAMPLES):
        reached["part" if repaid < market.debt(OWNER) else "whole"] += 1
        for total in in_parts(draw, deepcopy(market), repaid, reached):
            assert total.seized <= seized, (market, total)
            assert total.repaid >= least_for(market, total.seized), (market, total)
    assert reached["part"] > EXAMPLES // 4
    assert reached["whole"] > EXAMPLES // 8
    assert reached["parts"] > 5 * EXAMPLES
    assert reached["went whole after a part"] > EXAMPLES // 20
    assert reached["a hundred parts"] > EXAMPLES // 200


def test_split__the_owners_helper_repays_in_between__pays_no_more_than_one() -> None:
    """What the helper repays is paid for nothing, and buys no better terms than it costs."""
    draw, reached = Draw("helper"), Counter[str]()
    for market, wanted, seized in partial(draw, EXAMPLES):
        trial, helped, before = deepcopy(market), 0, 0
        for total in in_parts(draw, trial, wanted, reached):
            paid = total.repaid + helped
            assert total.seized <= seized, (market, total, helped)
            assert paid >= least_for(market, total.seized), (market, total, helped)
            reached["helped"] += helped > before
            before = helped
            if draw.random() < 0.5 and trial.debt(OWNER) > 1:
                offered = draw.amount(max(1, trial.debt(OWNER) // 20), least=1)
                helped += trial.repay(HELPER, offered, OWNER)
    assert reached["helped"] > EXAMPLES


def test_split__several_positions_in_any_order__pay_no_more_than_one_each() -> None:
    """They share the pool of debt, in which each burn of shares is rounded."""
    draw, reached = Draw("order"), Counter[str]()
    for market, wanted, _ in partial(draw, EXAMPLES // 4):
        position, names = market.positions[OWNER], ("first", "second", "third")
        del market.positions[OWNER]
        scales = {name: draw.randint(10, 33) for name in names}
        for name, scale in scales.items():
            market.positions[name] = Position(
                position.collateral * scale // 100, position.debt_shares * scale // 100
            )
        ones: dict[str, Sum] = {}
        for name in filter(market.debt, names):
            try:
                one = deepcopy(market).liquidate(LIQUIDATOR, name, MAX_112)
            except Refused:
                continue
            if not one.deleverage and one.seized < market.positions[name].collateral:
                ones[name] = Sum(one.repaid, one.seized)
        trial, sums, style = deepcopy(market), {name: Sum() for name in ones}, draw.randrange(5)
        gifts = Counter[str]()
        for number in range(PARTS if ones else 0):
            name = draw.choice(tuple(ones))
            if not trial.debt(name):
                continue
            offered = part_of(draw, style, number, trial.debt(name), wanted)
            try:
                if trial.size(name, offered).deleverage:
                    continue
            except Refused:
                continue
            before = {other: trial.debt(other) for other in ones}
            done = trial.liquidate(LIQUIDATOR, name, offered)
            # Shares are burned rounded down: now and then all other debts are a unit less for it.
            for other in ones:
                gifts[other] += (before[other] - trial.debt(other)) * (other != name)
            sums[name].repaid += done.repaid
            sums[name].seized += done.seized
            reached["parts"] += 1
        for name, total in sums.items():
            assert total.seized <= ones[name].seized, (market, name, total)
            least = least_for(market, total.seized, name)
            assert total.repaid + gifts[name] >= least, (market, name, total, gifts)
        reached["positions"] += len(sums)
    assert reached["positions"] > EXAMPLES // 2
    assert reached["parts"] > EXAMPLES


def test_deleverage__any_parts_at_any_time__stay_within_the_share_per_hour() -> None:
    """Of a debt at most the share at once, and again as much in each hour, however it is split."""
    draw, reached = Draw("window"), Counter[str]()
    while reached["positions"] < EXAMPLES // 4:
        market = drawn(draw)
        if market is None:
            continue
        oracle = market.oracle
        oracle.usable = True
        # Too heavy by the market price alone.
        oracle.fundamental, oracle.market = 2 * oracle.fundamental, oracle.fundamental
        share, past, longest = market.terms.deleverage_share, [], 0
        for number in range(PARTS):
            now, debt = market.clock.time, market.debt(OWNER)
            before = exact_health(market)
            offered = part_of(draw, draw.randrange(5), number, debt, debt * share // WAD)
            try:
                done = market.liquidate(LIQUIDATOR, OWNER, offered)
            except Refused as refusal:
                reached[str(refusal)] += 1
                if str(refusal) != "market: nothing repaid":
                    break
            else:
                if not done.deleverage:
                    break
                assert exact_health(market) > before
                assert market.debt(OWNER) > 0
                past.append((now, debt * share // WAD, done.repaid))
                repaid = 0
                for then, capacity, part in reversed(past):
                    repaid += part
                    # The debt that was there first is the largest, but for interest.
                    assert repaid * HOUR <= capacity * (HOUR + now - then), (market, past)
                reached["parts"] += 1
                longest = max(longest, now - past[0][0])
            market.clock.advance(seconds=draw.choice((0, 0, 1, 12, draw.randint(0, HOUR))))
            # Interest would only blur it.
            market.books.updated = market.clock.time
        reached["positions"] += bool(past)
        reached["over an hour"] += longest > HOUR
    assert reached["parts"] > EXAMPLES // 2
    assert reached["over an hour"] > EXAMPLES // 50
    assert reached["market: nothing repaid"] > EXAMPLES // 2


@dataclass(frozen=True)
class OnChain:
    """Two tokens, prices, and a factory for markets of any terms."""

    chain: Chain
    factory: Contract
    loan: Contract
    collateral: Contract
    oracle: Contract
    borrower: str

    def open(self, draw: Draw) -> tuple[Market, Contract]:
        """A market with one position of any terms that is unhealthy, and its model."""
        debt = draw.choice((draw.randint(10**3, 10**6), draw.amount(10**26, least=10**3)))
        terms = any_terms(draw, debt)
        # Borrowed at any part of the most, then the price falls.
        self.oracle.set_price(E36)
        tokens = {"loan": self.loan.address, "collateral": self.collateral.address}
        given = {**tokens, "oracle": self.oracle.address, **vars(terms)}
        market = create_market(self.chain, self.factory, self.chain.accounts[0], given)
        market.set_caps((2 * debt, 2 * debt, 0))
        for coin in (self.loan, self.collateral):
            coin.approve(market.address, UNLIMITED, sender=self.borrower)
        market.deposit(2 * debt, self.borrower, sender=self.borrower)
        collateral = debt * WAD // terms.max_ltv + debt // 100 + 2
        market.adjust(self.borrower, collateral, debt, self.borrower, sender=self.borrower)
        # So that shares are no longer worth a millionth.
        self.chain.advance(draw.choice((0, 1, draw.randint(0, 10**7))))
        market.accrue()
        state, (_, owed) = market.state(), market.position(self.borrower)
        price = max(1, worth_around(draw, owed, terms.threshold) * E36 // collateral)
        hand_over = price * draw.choice((1_000, 1_000, 999, 970)) // 1_000 or price
        self.oracle.set_price(price)
        self.oracle.set_market_price(hand_over)
        model = Market(
            Clock(time=self.chain.timestamp),
            terms,
            Oracle(price, hand_over),
            Rule("owner", "guardian"),
        )
        model.books.borrow = Pool(state.borrow_assets, state.borrow_shares)
        model.books.supply = Pool(state.supply_assets, state.supply_shares)
        # The borrower's are all the debt shares.
        model.positions[OWNER] = Position(collateral, state.borrow_shares)
        return model, market


@pytest.fixture(scope="module")
def on_chain() -> Iterator[OnChain]:
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        owner, borrower = chain.accounts[:2]
        loan, collateral = token(chain), token(chain)
        oracle = chain.deploy(artifact("ConstantOracle"), E36)
        factory = chain.deploy(artifact("MarketFactory"), deploy_blueprint(chain, owner), owner)
        for coin in (loan, collateral):
            coin.mint(borrower, 10**40)
        yield OnChain(chain, factory, loan, collateral, oracle, borrower)
        chain.close()


def test_split__on_the_chain__pays_no_more_than_one(on_chain: OnChain) -> None:
    """Dozens of positions, each liquidated at once and, from the same state, in up to 100 parts."""
    draw, reached, chain, borrower = (
        Draw("chain"),
        Counter[str](),
        on_chain.chain,
        on_chain.borrower,
    )
    while reached["positions"] < 40:
        model, market = on_chain.open(draw)
        try:
            wanted, one = market.liquidate.call(borrower, UNLIMITED, 0, sender=borrower)
        except Revert:
            continue
        if one == model.positions[OWNER].collateral:
            continue
        size = model.size(OWNER, UNLIMITED)
        assert (wanted, one) == (size.repaid, size.seized)
        if size.deleverage:
            continue
        with chain.isolated():
            style, repaid, seized = draw.randrange(5), 0, 0
            for number in range(PARTS):
                held, owed = market.position(borrower)
                if owed == 0:
                    break
                offered = part_of(draw, style, number, owed, wanted)
                try:
                    done = market.liquidate(borrower, offered, 0, sender=borrower).events[-1].args
                except Revert as refusal:
                    reached[refusal.reason] += 1
                    break
                if done["deleverage"]:
                    break
                repaid, seized = repaid + done["repaid"], seized + done["seized"]
                assert seized <= one
                assert repaid >= least_for(model, seized)
                left, owes = market.position(borrower)
                assert left * owed >= held * owes
                reached["parts"] += 1
        reached["positions"] += 1
        reached["part" if wanted < model.debt(OWNER) else "whole"] += 1
    assert min(reached["part"], reached["whole"]) >= 8, reached
    assert reached["parts"] >= 200, reached
    # A split ends when nothing is left, and for no other reason than these.
    ends = {"market: healthy", "market: repay must be whole", "market: too deep to deleverage"}
    assert {key for key in reached if ":" in key} <= ends
