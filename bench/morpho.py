"""Morpho Blue as a venue of a stress: our terms, and an oracle that says the market price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.peers import ADAPTIVE_CURVE_IRM, MORPHO, MorphoMarket
from bench.solc import compiled
from relever.artifacts import Artifact, artifact
from relever.chain import Call, Receipt, Revert
from relever.protocol import PRICE_SCALE, WAD, Deployment
from relever.risk import Books, Cast, Liquidation, Offer, Plan, Position, Venue

# Morpho's incentive is min(1.15, 1 / (1 - 0.3 * (1 - LLTV))); its shares have virtual parts.
_CURSOR, _MOST_INCENTIVE = 3 * WAD // 10, 115 * WAD // 100
_VIRTUAL_SHARES = 10**6
# Events of its library, which its compiler leaves out of the contract's ABI.
_LIQUIDATE = {
    "type": "event",
    "name": "Liquidate",
    "inputs": [
        {"name": name, "type": kind, "indexed": indexed}
        for name, kind, indexed in (
            ("id", "bytes32", True),
            ("caller", "address", True),
            ("borrower", "address", True),
            ("repaidAssets", "uint256", False),
            ("repaidShares", "uint256", False),
            ("seizedAssets", "uint256", False),
            ("badDebtAssets", "uint256", False),
            ("badDebtShares", "uint256", False),
        )
    ],
}


@dataclass(frozen=True)
class Code:
    """Morpho Blue and its interest rate model, compiled."""

    morpho: Artifact
    adaptive_curve_irm: Artifact


def compile_morpho(progress: Callable[[str], None]) -> Code:
    """Compile what is not cached, telling `progress` each name; see `bench.solc.compiled`."""
    return Code(*compiled((MORPHO, ADAPTIVE_CURVE_IRM), progress))


class MorphoBlue(Venue):
    """A market of Morpho Blue with our threshold as its LLTV and our fee.

    Its oracle says what the feed says, which is the usual choice.
    """

    name = "Morpho Blue"

    def __init__(self, scene: Deployment, cast: Cast, liquidator: str, code: Code) -> None:
        self.scene, self.cast, self.liquidator = scene, cast, liquidator
        chain, owner, ours = scene.chain, scene.roles.owner, scene.protocol.market
        self.threshold = ours.terms().threshold
        price = scene.protocol.oracle.price()
        self.oracle = chain.deploy(artifact("ConstantOracle"), price, sender=owner)
        self.contract = self.morpho = chain.deploy(code.morpho, owner, sender=owner)
        chain.contract(self.morpho.address, [_LIQUIDATE])
        irm = chain.deploy(code.adaptive_curve_irm, self.morpho.address, sender=owner)
        places = (scene.world.core.weth, scene.protocol.vault, self.oracle, irm)
        loan, collateral, oracle, model = (place.address for place in places)
        self.terms = (loan, collateral, oracle, model, self.threshold)
        self.id = MorphoMarket(self.morpho, self.terms).id
        self.morpho.enableIrm(model, sender=owner)
        self.morpho.enableLltv(self.threshold, sender=owner)
        self.morpho.createMarket(self.terms, sender=owner)
        self.morpho.setFeeRecipient(scene.roles.treasury, sender=owner)
        self.morpho.setFee(self.terms, ours.caps().fee, sender=owner)
        incentive = WAD * WAD // (WAD - _CURSOR * (WAD - self.threshold) // WAD)
        self.incentive = min(_MOST_INCENTIVE, incentive)

    def lend(self, lender: str, amount: int) -> Call:
        return self.morpho.supply.build(self.terms, amount, 0, lender, b"", sender=lender)

    def open(self, plan: Plan) -> Sequence[Call]:
        terms, owner = self.terms, plan.owner
        return [
            self.morpho.supplyCollateral.build(terms, plan.collateral, owner, b"", sender=owner),
            self.morpho.borrow.build(terms, plan.debt, 0, owner, owner, sender=owner),
        ]

    def see_market_price(self, price: int) -> None:
        self.oracle.set_price(price, sender=self.scene.roles.keeper)

    def poke(self) -> None:
        """Its oracle has nothing to remember."""

    def accrue(self) -> None:
        self.morpho.accrueInterest(self.terms, sender=self.scene.roles.keeper)

    def positions(self) -> list[Position]:
        self.accrue()
        return self._positions(self._raw(self.cast.borrowers))

    def offers(self) -> list[Offer]:
        self.accrue()
        price, raw = self.oracle.price(), self._raw(self.cast.borrowers)
        offers = []
        found = zip(self.cast.borrowers, raw, self._positions(raw), strict=True)
        for owner, (_, debt_shares, collateral), position in found:
            worth = collateral * price // PRICE_SCALE
            if position.debt <= worth * self.threshold // WAD:
                continue
            # Without enough collateral for debt and incentive, all of it goes for what it pays.
            deep = position.debt * self.incentive > worth * WAD
            sizes = (collateral, 0) if deep else (0, debt_shares)
            call = self.morpho.liquidate.build(
                self.terms, owner, *sizes, b"", sender=self.liquidator
            )
            seized, repaid = self.scene.chain.read(call)
            offers.append(Offer(owner, repaid, seized, call))
        return offers

    def read(self, receipt: Receipt) -> Liquidation:
        done = next(event.args for event in receipt.events if event.name == "Liquidate")
        bad_debt = done["badDebtAssets"]
        return Liquidation(
            done["borrower"], done["repaidAssets"], done["seizedAssets"], bad_debt, bad_debt, False
        )

    def books(self) -> Books:
        supplied, shares, borrowed, _, _, _ = self.morpho.market(self.id)
        holders = [*self.cast.lenders, self.scene.roles.treasury]
        *lenders, fee_claim = (
            held * (supplied + 1) // (shares + _VIRTUAL_SHARES) for held, _, _ in self._raw(holders)
        )
        return Books(
            supplied=supplied,
            borrowed=borrowed,
            cash=self.scene.world.core.weth.balanceOf(self.morpho.address),
            collateral=self.scene.protocol.vault.balanceOf(self.morpho.address),
            lenders=tuple(lenders),
            fee_claim=fee_claim,
        )

    def why_no_borrowing(self, plan: Plan) -> str:
        owner, least = plan.owner, self.scene.protocol.market.terms().min_debt
        try:
            self.morpho.borrow.call(self.terms, least, 0, owner, owner, sender=owner)
        except Revert as refused:
            return refused.reason
        return ""

    def _positions(self, raw: Sequence[tuple[int, int, int]]) -> list[Position]:
        _, _, assets, shares, _, _ = self.morpho.market(self.id)
        return [
            Position(collateral, -(-debt_shares * (assets + 1) // (shares + _VIRTUAL_SHARES)))
            for _, debt_shares, collateral in raw
        ]

    def _raw(self, owners: Sequence[str]) -> list[tuple[int, int, int]]:
        """Supply shares, debt shares and collateral of each."""
        return self.scene.chain.read_batch(
            [self.morpho.position.build(self.id, owner) for owner in owners]
        )
