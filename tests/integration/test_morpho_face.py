"""The real Morpho Blue lends and liquidates LRT on our oracle, through its face."""

from dataclasses import dataclass

import pytest

from bench.peers import MORPHO, MorphoMarket
from bench.solc import compiled
from relever.artifacts import Artifact, artifact
from relever.chain import Contract
from relever.protocol import NOBODY, PRICE_SCALE, WAD, Deployment
from tests.scene import restake, reverts, slash_and_sync, stake_everything

LTV = 86 * WAD // 100
LENT, PLEDGED = 1_000 * WAD, 50 * WAD
FUNDAMENTAL, CONSERVATIVE = False, True


@dataclass(frozen=True)
class Venue:
    """A Morpho Blue over the suite, with one market of WETH against the LRT, without interest."""

    scene: Deployment
    face: Contract
    market: MorphoMarket

    @property
    def most(self) -> int:
        """What may be borrowed against the borrower's collateral, as Morpho reckons."""
        return int(PLEDGED * self.face.price() // PRICE_SCALE * LTV // WAD)

    def borrow(self, amount: int) -> None:
        borrower = self.scene.roles.borrower
        arguments = (self.market.parameters, amount, 0, borrower, borrower)
        self.market.morpho.borrow(*arguments, sender=borrower)

    def liquidate(self, seized: int) -> None:
        morpho, roles = self.market.morpho, self.scene.roles
        self.scene.world.fund(roles.liquidator, weth=LENT)
        self.scene.world.core.weth.approve(morpho.address, LENT, sender=roles.liquidator)
        arguments = (self.market.parameters, roles.borrower, seized, 0, b"")
        morpho.liquidate(*arguments, sender=roles.liquidator)


@pytest.fixture(scope="module")
def morpho_code() -> Artifact:
    (code,) = compiled([MORPHO], lambda name: None)
    return code


def open_venue(scene: Deployment, code: Artifact, mode: bool) -> Venue:
    """Lenders are in, and a borrower has pledged LRT."""
    chain, roles, core, vault = scene.chain, scene.roles, scene.world.core, scene.protocol.vault
    face = chain.deploy(artifact("MorphoFace"), scene.protocol.oracle.address, mode)
    morpho = chain.deploy(code, roles.owner)
    terms = (core.weth.address, vault.address, face.address, NOBODY, LTV)
    morpho.enableIrm(NOBODY, sender=roles.owner)
    morpho.enableLltv(LTV, sender=roles.owner)
    morpho.createMarket(terms, sender=roles.owner)
    scene.world.fund(roles.lender, weth=LENT)
    core.weth.approve(morpho.address, LENT, sender=roles.lender)
    morpho.supply(terms, LENT, 0, roles.lender, b"", sender=roles.lender)
    restake(scene, 2 * PLEDGED, roles.borrower)
    vault.approve(morpho.address, PLEDGED, sender=roles.borrower)
    morpho.supplyCollateral(terms, PLEDGED, roles.borrower, b"", sender=roles.borrower)
    return Venue(scene, face, MorphoMarket(morpho, terms))


@pytest.fixture
def venue(deployment: Deployment, morpho_code: Artifact) -> Venue:
    return open_venue(deployment, morpho_code, FUNDAMENTAL)


def test_borrow__on_the_face__up_to_the_unit_that_the_oracle_allows(venue: Venue) -> None:
    assert venue.face.price() == venue.scene.protocol.oracle.fundamental()
    with reverts("insufficient collateral"):
        venue.borrow(venue.most + 1)
    venue.borrow(venue.most)


def test_liquidate__market_dips__takes_nobodys_position(venue: Venue) -> None:
    scene = venue.scene
    venue.borrow(venue.most)
    scene.answer_fundamental(discount=WAD // 5)
    scene.protocol.oracle.poke(sender=scene.roles.stranger)
    scene.chain.advance(3_600)
    scene.protocol.oracle.poke(sender=scene.roles.stranger)
    assert scene.protocol.oracle.discount() > 0
    with reverts("position is healthy"):
        venue.liquidate(WAD)


def test_liquidate__stake_is_slashed__goes_through(venue: Venue) -> None:
    scene = venue.scene
    venue.borrow(venue.most)
    stake_everything(scene)
    slash_and_sync(scene, WAD // 20)
    before = scene.protocol.vault.balanceOf(scene.roles.liquidator)
    venue.liquidate(WAD)
    assert scene.protocol.vault.balanceOf(scene.roles.liquidator) == before + WAD


def test_borrow__on_a_conservative_face__takes_a_fresh_feed(
    deployment: Deployment, morpho_code: Artifact
) -> None:
    venue = open_venue(deployment, morpho_code, CONSERVATIVE)
    deployment.answer_fundamental(discount=WAD // 5)
    dipped = deployment.protocol.oracle.price()
    assert venue.face.price() == dipped < deployment.protocol.oracle.fundamental()
    venue.borrow(venue.most)
    deployment.chain.advance(deployment.protocol.oracle.MAX_AGE() + 1)
    with reverts("oracle: stale feed"):
        venue.borrow(1)
