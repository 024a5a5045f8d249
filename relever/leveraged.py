"""The leveraged tokens on a deployment, and what turns other tokens into them and back.

A token borrows as it is created, so that its market must have lenders first: it comes on top of a
deployment, and not with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relever.artifacts import artifact
from relever.chain import Chain, Contract
from relever.config import section
from relever.protocol import NOBODY, Deployment, contract_address

# As the parameters name what `ILeveragedToken.Terms` has, in its order; the fee's receiver follows.
TERMS = (
    "target_leverage_wad",
    "least_leverage_wad",
    "most_leverage_wad",
    "danger_leverage_wad",
    "floor_leverage_wad",
    "step_leverage_wad",
    "period_seconds",
    "start_discount_wad",
    "max_pay_wad",
    "danger_pay_wad",
    "duration_seconds",
    "max_loss_wad",
    "danger_loss_wad",
    "cooldown_seconds",
    "yearly_fee_wad",
)


@dataclass(frozen=True)
class Leveraged:
    """Every leveraged token by its symbol, the zap that serves them, who takes their auctions
    without capital, and the lens.
    """

    tokens: dict[str, Contract]
    zap: Contract
    rebalancer: Contract
    lens: Contract

    def addresses(self) -> dict[str, str]:
        """Each token's address by its symbol; `leveraged_zap`, `rebalancer`, `derivatives_lens`."""
        tokens = {symbol: token.address for symbol, token in self.tokens.items()}
        return {
            **tokens,
            "leveraged_zap": self.zap.address,
            "rebalancer": self.rebalancer.address,
            "derivatives_lens": self.lens.address,
        }

    def on(self, chain: Chain) -> Leveraged:
        """The same contracts seen through another chain, such as a fork of this one."""
        tokens = {
            symbol: chain.contract(token.address, artifact("LeveragedToken"))
            for symbol, token in self.tokens.items()
        }
        return Leveraged(
            tokens,
            chain.contract(self.zap.address, artifact("LeveragedTokenZap")),
            chain.contract(self.rebalancer.address, artifact("Rebalancer")),
            chain.contract(self.lens.address, artifact("DerivativesLens")),
        )


def deploy_leveraged(scene: Deployment, network: str = "local") -> Leveraged:
    """Lend what the seeds borrow, create the network's tokens and what serves them.

    All by the owner of the deployment, who pays the seeds, and keeps the lender's shares and the
    WETH of the seeds.
    """
    settings = section(network, "leveraged")
    owner, market, weth = scene.roles.owner, scene.protocol.market, scene.world.core.weth
    lent = settings["lent_wei"]
    scene.world.fund(owner, weth=lent)
    weth.approve(market.address, lent, sender=owner)
    market.deposit(lent, owner, sender=owner)
    tokens = {
        symbol: deploy_token(scene, symbol, terms) for symbol, terms in settings["tokens"].items()
    }
    protocol, core = scene.protocol, scene.world.core
    served = [token.address for token in tokens.values()]
    places = protocol.vault.address, core.wsteth.address, core.weth.address, protocol.swap.address
    zap, rebalancer = (
        scene.chain.deploy(artifact(name), *places, NOBODY, served, sender=owner)
        for name in ("LeveragedTokenZap", "Rebalancer")
    )
    lens = scene.chain.deploy(artifact("DerivativesLens"), protocol.vault.address, sender=owner)
    return Leveraged(tokens, zap, rebalancer, lens)


def deploy_token(scene: Deployment, symbol: str, settings: dict[str, Any]) -> Contract:
    """One token with its seed, which the owner pays. `settings` as in `relever/config`."""
    owner, vault, wsteth = scene.roles.owner, scene.protocol.vault, scene.world.core.wsteth
    seed = settings["seed_wei"]
    needed = vault.previewMint(seed)
    scene.world.fund(owner, wsteth=needed)
    wsteth.approve(vault.address, needed, sender=owner)
    vault.mint(seed, owner, sender=owner)
    # The approval is a transaction too: the token comes with the nonce after it.
    vault.approve(contract_address(scene.chain, owner, after=1), seed, sender=owner)
    return scene.chain.deploy(
        artifact("LeveragedToken"),
        scene.protocol.market.address,
        settings["name"],
        symbol,
        (*(settings[key] for key in TERMS), scene.roles.treasury),
        seed,
        sender=owner,
    )
