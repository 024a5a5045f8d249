"""Leveraged tokens on the suite, and what tests do with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relever.artifacts import artifact
from relever.chain import Contract, Event, Receipt
from relever.leveraged import Leveraged, deploy_leveraged
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, lend, pass_days, restake, stake_everything

DEAD = "0x000000000000000000000000000000000000dEaD"
PLENTY = 10_000 * ETHER


@dataclass(frozen=True)
class Tokens:
    """The suite with both tokens; each test picks one by its leverage."""

    scene: Deployment
    leveraged: Leveraged
    # Answers the token's callbacks as a test says.
    wallet: Contract

    @property
    def market(self) -> Contract:
        return self.scene.protocol.market

    @property
    def vault(self) -> Contract:
        return self.scene.protocol.vault

    @property
    def weth(self) -> Contract:
        return self.scene.world.core.weth

    def token(self, leverage: int) -> Contract:
        return self.leveraged.tokens[f"rLRT{leverage}"]

    def position(self, token: Contract) -> tuple[int, int]:
        collateral, debt = self.market.position(token.address)
        return int(collateral), int(debt)

    def backing(self) -> int:
        """What backs an LRT, in WETH scaled by 1e36."""
        rate = self.vault.live_rate()
        return int(rate * self.scene.world.core.wsteth.stEthPerToken())

    def worth(self, token: Contract) -> int:
        return self.position(token)[0] * self.backing() // PRICE_SCALE

    def equip(self, who: str, *tokens: Contract) -> None:
        """Give somebody LRT and WETH, and let these take of it what they like."""
        scene = self.scene
        needed = self.vault.previewMint(PLENTY)
        scene.world.fund(who, wsteth=needed, weth=PLENTY)
        scene.world.core.wsteth.approve(self.vault.address, needed, sender=who)
        self.vault.mint(PLENTY, who, sender=who)
        for spender in tokens:
            self.vault.approve(spender.address, UNLIMITED, sender=who)
            self.weth.approve(spender.address, UNLIMITED, sender=who)

    def mint(self, token: Contract, shares: int, who: str) -> Receipt:
        return token.mint(shares, UNLIMITED, 0, who, sender=who)

    def redeem(self, token: Contract, shares: int, who: str) -> Receipt:
        return token.redeem(shares, UNLIMITED, 0, who, sender=who)

    def slash(self, wad: int) -> None:
        """EigenLayer slashes the operator, and the feed follows; nobody syncs."""
        self.scene.world.slash(wad)
        self.scene.feed.answer(self.backing() // WAD)

    def lose(self, wad: int) -> None:
        """The LRT loses that part of its backing, by slashes, booked; the feed follows."""
        vault, aim = self.vault, self.backing() * (WAD - wad) // WAD
        staked = self.scene.protocol.eigenlayer.total_assets()
        part = wad * vault.totalAssets() // staked
        self.slash(part)
        vault.sync(sender=self.scene.roles.stranger)
        assert abs(self.backing() - aim) * 1_000 < aim
        self.scene.answer_fundamental()

    def gain(self, wad: int) -> None:
        """Lido pays rewards that make the LRT worth so much more, over years for the growth cap."""
        core = self.scene.world.core
        pooled = core.steth.getTotalPooledEther()
        days = wad * 365 // (WAD // 10) + 2
        pass_days(self.scene, days)
        self.scene.protocol.oracle.explain()
        self.scene.world.accrue_rewards(pooled * wad // WAD)
        self.scene.answer_fundamental()

    def start(self, token: Contract, seconds: int) -> None:
        """Anyone starts an auction, and so much of it passes; the feed repeats the price."""
        token.start_auction(sender=self.scene.roles.stranger)
        self.scene.chain.advance(seconds)
        self.scene.answer_fundamental()


def build(scene: Deployment) -> Tokens:
    """Lenders, a vault that stakes all, both tokens, a holder and a taker who can pay for anything."""
    roles = scene.roles
    lend(scene, 5_000 * ETHER)
    restake(scene, 1_000 * ETHER)
    scene.world.accrue_rewards(7_777_777_777_777)
    pass_days(scene, 1)
    tokens = Tokens(
        scene,
        deploy_leveraged(scene),
        scene.chain.deploy(artifact("LeveragedWallet"), sender=roles.stranger),
    )
    both = tuple(tokens.leveraged.tokens.values())
    for who in (roles.looper, roles.liquidator, roles.borrower):
        tokens.equip(who, *both, scene.protocol.market, tokens.leveraged.zap)
    stake_everything(scene)
    pass_days(scene, 1)
    return tokens


__all__ = [
    "DEAD",
    "NOBODY",
    "PLENTY",
    "Any",
    "Event",
    "Tokens",
    "build",
]
