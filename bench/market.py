"""What our market costs beside Morpho Blue and Aave, on the same tokens, oracle, amounts and fee.

Loan and collateral are two WETH9, the oracle is one word of storage. *Cold* is the first use in an
empty market, *new user* the first in a live one; every other row is of a user who has done the same
before, 12 seconds of interest after the transaction before it. Flash loans are taken by a contract
whose callback does nothing, called by an account.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.aave import Aave
from bench.peers import Code
from bench.report import Row
from bench.venues import MorphoBlue, Relever, Tokens, Venue
from relever.baselayer import Roles
from relever.chain import Chain
from relever.protocol import WAD

# The most that ours may cost, as a multiple of what Morpho Blue costs.
TARGETS = {
    "lend": 0.75,
    "supply collateral": 0.92,
    "borrow": 0.75,
    "repay, part": 0.75,
    "repay, whole": 0.75,
    "withdraw collateral with debt": 0.75,
    "withdraw": 0.75,
    "supply collateral + borrow": 0.60,
    "liquidate, part": 0.78,
    "liquidate, whole debt": 0.78,
    "liquidate, bad debt": 0.78,
    "flash loan": 1.00,
}
BLOCK = 12  # seconds
FEE = WAD // 10
HOLDING = 100_000 * WAD
LENT = 10_000 * WAD
AMOUNT = 10 * WAD
# Collateral and debt at a price of 1: of a user, of one to liquidate, and of one whose debt is
# repaid as a whole, since a part would leave less than our minimum.
USUAL = (1_000 * WAD, 500 * WAD)
RISKY = (100 * WAD, 85 * WAD)
SMALL = (20 * WAD // 100, 17 * WAD // 100)
UNHEALTHY, UNDER_WATER = 90 * WAD // 100, 50 * WAD // 100  # prices


def market_rows(chain: Chain, code: Code) -> list[Row]:
    """Every row of the market: first without a fee, as Morpho Blue has it, then with one."""
    return [*_beside_peers(chain, code, "market", 0), *_beside_peers(chain, code, "fee on", FEE)]


def our_gas(chain: Chain, prefix: str, fee_wad: int) -> dict[str, int]:
    """Gas of our operations by name; with a fee, only of those that have targets without one."""
    gas = play(chain, lambda tokens: Relever(tokens, fee_wad))
    return {f"{prefix}: {what}": gas[what] for what in gas if fee_wad == 0 or what in TARGETS}


def _beside_peers(chain: Chain, code: Code, prefix: str, fee_wad: int) -> list[Row]:
    """Targets are for use without a fee."""
    ours = our_gas(chain, prefix, fee_wad)
    morpho = play(chain, lambda tokens: MorphoBlue(tokens, fee_wad, code))
    aave = play(chain, lambda tokens: Aave(tokens, fee_wad))
    rows: list[Row] = []
    for operation, gas in ours.items():
        what = operation.removeprefix(f"{prefix}: ")
        target = TARGETS.get(what) if fee_wad == 0 else None
        rows.append(Row(operation, gas, morpho[what], MorphoBlue.name, target))
        if what in aave:
            rows.append(Row(operation, gas, aave[what], Aave.name))
    return rows


def play(chain: Chain, make: Callable[[Tokens], Venue]) -> dict[str, int]:
    """Gas of every operation at one venue, which is made for it and gone afterwards."""
    with chain.isolated():
        roles = Roles.of(chain)
        tokens = Tokens.deploy(chain, roles.owner)
        venue = make(tokens)
        lenders = roles.lender, roles.liquidity_provider
        borrowers = roles.borrower, roles.looper, roles.trader, roles.depositor
        for lender in (*lenders, roles.liquidator):
            tokens.fund(tokens.loan, lender, HOLDING)
        for borrower in borrowers:
            tokens.fund(tokens.collateral, borrower, HOLDING)
        venue.let_in((*lenders, *borrowers, roles.liquidator))
        return _Play(roles, venue).figures()


class _Play:
    """One venue, used by one role after the other."""

    def __init__(self, roles: Roles, venue: Venue) -> None:
        self.roles = roles
        self.venue = venue
        self.chain = venue.tokens.chain

    def figures(self) -> dict[str, int]:
        gas = self._cold() | self._new_user() | self._steady()
        with self.chain.isolated():
            gas |= self._liquidations()
        return gas

    def _cold(self) -> dict[str, int]:
        venue, lender, borrower = self.venue, self.roles.lender, self.roles.borrower
        gas = {"lend, cold": self._step(lambda: venue.lend(lender, LENT))}
        with self.chain.isolated():
            both = self._step(lambda: venue.supply_collateral_and_borrow(borrower, *USUAL))
        collateral, debt = USUAL
        return gas | {
            "supply collateral, cold": self._step(
                lambda: venue.supply_collateral(borrower, collateral)
            ),
            "borrow, cold": self._step(lambda: venue.borrow(borrower, debt)),
            "supply collateral + borrow, cold": both,
        }

    def _new_user(self) -> dict[str, int]:
        venue, lender, borrower = self.venue, self.roles.liquidity_provider, self.roles.looper
        gas = {"lend, new user": self._step(lambda: venue.lend(lender, AMOUNT))}
        with self.chain.isolated():
            both = self._step(lambda: venue.supply_collateral_and_borrow(borrower, *RISKY))
        collateral, debt = RISKY
        return gas | {
            "supply collateral, new user": self._step(
                lambda: venue.supply_collateral(borrower, collateral)
            ),
            "borrow, new user": self._step(lambda: venue.borrow(borrower, debt)),
            "supply collateral + borrow, new user": both,
        }

    def _steady(self) -> dict[str, int]:
        venue, lender, borrower = self.venue, self.roles.lender, self.roles.borrower
        venue.flash_loan(borrower, AMOUNT)
        gas = {
            "lend": self._step(lambda: venue.lend(lender, AMOUNT)),
            "supply collateral": self._step(lambda: venue.supply_collateral(borrower, AMOUNT)),
            "borrow": self._step(lambda: venue.borrow(borrower, AMOUNT)),
            "supply collateral + borrow": self._step(
                lambda: venue.supply_collateral_and_borrow(borrower, AMOUNT, AMOUNT)
            ),
            "repay, part": self._step(lambda: venue.repay(borrower, AMOUNT)),
            "withdraw collateral with debt": self._step(
                lambda: venue.withdraw_collateral(borrower, AMOUNT)
            ),
            "withdraw": self._step(lambda: venue.withdraw(lender, AMOUNT)),
            "flash loan": self._step(lambda: venue.flash_loan(borrower, AMOUNT)),
        }
        # The interest of some blocks comes on top of what was borrowed.
        self.venue.tokens.fund(self.venue.tokens.loan, borrower, AMOUNT)
        with self.chain.isolated():
            return gas | {"repay, whole": self._step(lambda: venue.repay_all(borrower))}

    def _liquidations(self) -> dict[str, int]:
        """By one liquidator, who has the collateral token from the first on."""
        venue, risky, small = self.venue, self.roles.looper, self.roles.trader
        liquidator = self.roles.liquidator
        venue.supply_collateral_and_borrow(small, *SMALL)

        def part() -> int:
            return venue.liquidate(liquidator, risky, AMOUNT)

        venue.tokens.set_price(UNHEALTHY)
        gas = {"liquidate, part, new user": self._step(part), "liquidate, part": self._step(part)}
        gas["liquidate, whole debt"] = self._step(lambda: venue.liquidate_debt(liquidator, small))
        venue.tokens.set_price(UNDER_WATER)
        self.chain.advance(BLOCK)
        bad_debt = venue.liquidate_collateral(liquidator, risky)
        return gas if bad_debt is None else gas | {"liquidate, bad debt": bad_debt}

    def _step(self, act: Callable[[], int]) -> int:
        """Gas of a step, a block's time after what came before."""
        self.chain.advance(BLOCK)
        return act()
