"""Leveraged tokens on the suite, and what tests do with them."""

from __future__ import annotations

from dataclasses import dataclass

from relever.artifacts import artifact
from relever.chain import Contract, Event, Receipt
from relever.leveraged import Leveraged, deploy_leveraged
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from tests.lrt_paths import Log
from tests.scene import ETHER, assert_empty, lend, pass_days, restake, stake_everything

DEAD = "0x000000000000000000000000000000000000dEaD"
PLENTY = 2_000 * ETHER


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
        rate = self.vault.previewMint(WAD) - 1
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
        """Lido's validators lose that part of all stETH; the feed follows."""
        pooled = self.scene.world.core.steth.getTotalPooledEther()
        self.scene.world.slash_validators(pooled * wad // WAD)
        self.scene.answer_fundamental()

    def gain(self, wad: int) -> None:
        """Lido pays so much more; the feed says what the oracle takes for it."""
        pooled = self.scene.world.core.steth.getTotalPooledEther()
        self.scene.world.accrue_rewards(pooled * wad // WAD)
        self.scene.answer_fundamental()

    def wait(self, seconds: int) -> None:
        """Time passes, and the feed repeats the price."""
        self.scene.chain.advance(seconds)
        self.scene.answer_fundamental()

    def settle(self) -> None:
        """Interest and fees are booked, so that no test has to count their events."""
        self.market.accrue(sender=self.scene.roles.stranger)
        for token in self.leveraged.tokens.values():
            token.accrue_fee(sender=self.scene.roles.stranger)

    def start(self, token: Contract, seconds: int) -> None:
        """Anyone starts an auction, and so much of it passes."""
        token.start_auction(sender=self.scene.roles.stranger)
        self.wait(seconds)

    def holdings(self, who: str) -> dict[str, int]:
        """LRT, WETH and shares of both tokens."""
        return {
            "lrt": int(self.vault.balanceOf(who)),
            "weth": int(self.weth.balanceOf(who)),
            **{name: int(t.balanceOf(who)) for name, t in self.leveraged.tokens.items()},
        }

    def assert_empty(self) -> None:
        """Neither token nor helper keeps anything, or allows anyone anything."""
        leveraged = self.leveraged
        helpers = [*leveraged.tokens.values(), leveraged.zap, leveraged.rebalancer]
        spenders = [*helpers, self.market, self.vault, self.scene.protocol.swap]
        for helper in helpers:
            assert not any(self.holdings(helper.address).values())
            assert_empty(self.scene, helper.address)
            for coin in (self.weth, self.vault):
                for spender in spenders:
                    assert coin.allowance(helper.address, spender.address) == 0

    # What is logged

    def paid_in(self, coin: Contract, who: str, amount: int) -> list[Event]:
        """From somebody into the market."""
        return [Log(self.scene).moved(coin, who, self.market.address, amount)]

    def adjusted(self, token: Contract, who: str, collateral: int, debt: int) -> Event:
        arguments = {
            "owner": token.address,
            "caller": token.address,
            "receiver": who,
            "collateral_delta": collateral,
            "debt_delta": debt,
        }
        return Event("Adjusted", arguments, self.market.address)


def build(scene: Deployment) -> Tokens:
    """Lenders, a vault that stakes all, both tokens, a holder, and a taker who can pay for much."""
    roles = scene.roles
    lend(scene, 1_500 * ETHER)
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
    for token in both:
        tokens.mint(token, 20 * ETHER, roles.looper)
    tokens.settle()
    return tokens
