"""Our lending market as a venue."""

from __future__ import annotations

from collections.abc import Sequence

from relever.chain import Call, Receipt, Revert
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from relever.risk.venue import Books, Cast, Liquidation, Offer, Plan, Position, Venue

# Why the market may refuse a position that the prices alone would let it take.
_REFUSALS = ("market: nothing repaid", "market: too deep to deleverage")


class OurMarket(Venue):
    """The market of a deployment, with its own oracle over the vault and the feed."""

    name = "Relever"

    def __init__(self, scene: Deployment, cast: Cast, liquidator: str) -> None:
        self.scene, self.cast, self.liquidator = scene, cast, liquidator
        self.contract = self.market = scene.protocol.market
        self.terms = self.market.terms()

    def lend(self, lender: str, amount: int) -> Call:
        return self.market.deposit.build(amount, lender, sender=lender)

    def open(self, plan: Plan) -> Sequence[Call]:
        owner = plan.owner
        call = self.market.adjust.build(owner, plan.collateral, plan.debt, owner, b"", sender=owner)
        return [call]

    def see_market_price(self, price: int) -> None:
        """The oracle reads the feed."""

    def poke(self) -> None:
        self.scene.protocol.oracle.poke(sender=self.scene.roles.keeper)

    def accrue(self) -> None:
        self.market.accrue(sender=self.scene.roles.keeper)

    def positions(self) -> list[Position]:
        calls = [self.market.position.build(owner) for owner in self.cast.borrowers]
        return [Position(*found) for found in self.scene.chain.read_batch(calls)]

    def offers(self) -> list[Offer]:
        fundamental, smoothed, usable = self.scene.protocol.oracle.liquidation_prices()
        price = min(fundamental, smoothed) if usable else fundamental
        offers = []
        for owner, position in zip(self.cast.borrowers, self.positions(), strict=True):
            worth = position.collateral * price // PRICE_SCALE
            if position.debt * WAD <= worth * self.terms.threshold:
                continue
            call = self.market.liquidate.build(owner, UNLIMITED, 0, sender=self.liquidator)
            try:
                repaid, seized = self.scene.chain.read(call)
            except Revert as refused:
                if refused.reason not in _REFUSALS:
                    raise
                continue
            offers.append(Offer(owner, repaid, seized, call))
        return offers

    def read(self, receipt: Receipt) -> Liquidation:
        done = next(event.args for event in receipt.events if event.name == "Liquidated")
        return Liquidation(
            done["owner"],
            done["repaid"],
            done["seized"],
            done["bad_debt"],
            done["lenders_loss"],
            done["deleverage"],
        )

    def books(self) -> Books:
        market, address = self.market, self.market.address
        holders = [*self.cast.lenders, address]
        held = self.scene.chain.read_batch([market.balanceOf.build(holder) for holder in holders])
        *lenders, fee_claim = self.scene.chain.read_batch(
            [market.previewRedeem.build(shares) for shares in held]
        )
        state = market.state()
        return Books(
            supplied=state.supply_assets,
            borrowed=state.borrow_assets,
            cash=self.scene.world.core.weth.balanceOf(address),
            collateral=self.scene.protocol.vault.balanceOf(address),
            lenders=tuple(lenders),
            fee_claim=fee_claim,
        )

    def why_no_borrowing(self, plan: Plan) -> str:
        try:
            self.market.borrow.call(self.terms.min_debt, plan.owner, plan.owner, sender=plan.owner)
        except Revert as refused:
            return refused.reason
        return ""
