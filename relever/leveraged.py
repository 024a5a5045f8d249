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
from relever.deploy.suite import TOKEN_SERVANTS, servant_arguments, token_arguments
from relever.protocol import Deployment, contract_address


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
    given = servant_arguments(_book(scene), [token.address for token in tokens.values()])
    zap, rebalancer = (
        scene.chain.deploy(artifact(name), *given, sender=owner) for name in TOKEN_SERVANTS.values()
    )
    lens = scene.chain.deploy(
        artifact("DerivativesLens"), scene.protocol.vault.address, sender=owner
    )
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
        *token_arguments(symbol, _book(scene), settings),
        sender=owner,
    )


def _book(scene: Deployment) -> dict[str, str]:
    treasury = scene.roles.treasury
    return {**scene.world.addresses(), **scene.protocol.addresses(), "treasury": treasury}
