"""The peers on the chain: OpenZeppelin's ERC4626, Morpho Blue and MetaMorpho, with their settings.

Morpho Blue, its interest rate model and MetaMorpho are compiled as their repositories say. For
OpenZeppelin's vault, which each user compiles as they like, the settings are the cheapest to use.
MetaMorpho is version 1.0, on the same OpenZeppelin contracts, whose code needs Cancun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from bench.solc import OWN, Solidity, compiled
from relever.artifacts import Artifact
from relever.chain import Chain, Contract

WAD = 10**18
DAY = 86_400

_MEZO = "sphere-mezo-solidity-files/domains"
_CHEAPEST = 999_999
OPENZEPPELIN_VAULT = Solidity(
    f"{OWN}/OpenZeppelinVault.sol", "OpenZeppelinVault", "solc-0.8.26", "cancun", _CHEAPEST
)
MORPHO = Solidity(
    "@morpho-org/morpho-blue/src/Morpho.sol", "Morpho", "solc-0.8.19", "paris", _CHEAPEST
)
ADAPTIVE_CURVE_IRM = Solidity(
    f"{_MEZO}/morphoIrm/contracts/AdaptiveCurveIrm.sol",
    "AdaptiveCurveIrm",
    "solc-0.8.19",
    "paris",
    _CHEAPEST,
    pragma=("^0.8.20", "^0.8.19"),
)
METAMORPHO = Solidity(
    f"{_MEZO}/metamorpho/contracts/MetaMorpho.sol", "MetaMorpho", "solc-0.8.26", "cancun", 200
)
CONTRACTS = (OPENZEPPELIN_VAULT, MORPHO, ADAPTIVE_CURVE_IRM, METAMORPHO)


@dataclass(frozen=True)
class Code:
    """The peers' contracts, compiled."""

    openzeppelin_vault: Artifact
    morpho: Artifact
    adaptive_curve_irm: Artifact
    metamorpho: Artifact


@dataclass(frozen=True)
class MorphoMarket:
    """One market of a Morpho Blue: its parameters are what Morpho's functions take, and its id."""

    morpho: Contract
    parameters: tuple[str, str, str, str, int]

    @property
    def id(self) -> bytes:
        return keccak(encode(["address"] * 4 + ["uint256"], self.parameters))


def compile_peers(progress: Callable[[str], None]) -> Code:
    """Compile what is not cached, telling `progress` each name; see `bench.solc.compiled`."""
    return Code(*compiled(CONTRACTS, progress))


def deploy_morpho_market(
    chain: Chain,
    code: Code,
    owner: str,
    loan_token: Contract,
    collateral: Contract,
    oracle: Contract,
    ltv_wad: int,
) -> MorphoMarket:
    """Morpho Blue with one market."""
    morpho = chain.deploy(code.morpho, owner, sender=owner)
    irm = chain.deploy(code.adaptive_curve_irm, morpho.address, sender=owner)
    morpho.enableIrm(irm.address, sender=owner)
    morpho.enableLltv(ltv_wad, sender=owner)
    tokens = (loan_token.address, collateral.address)
    market = MorphoMarket(morpho, (*tokens, oracle.address, irm.address, ltv_wad))
    morpho.createMarket(market.parameters, sender=owner)
    return market


def deploy_metamorpho(chain: Chain, code: Code, owner: str, market: MorphoMarket) -> Contract:
    """A MetaMorpho without a fee that supplies all it gets to the one market."""
    loan_token, *_ = market.parameters
    vault = chain.deploy(
        code.metamorpho,
        owner,
        market.morpho.address,
        DAY,
        loan_token,
        "MetaMorpho",
        "MM",
        sender=owner,
    )
    cap = 10**6 * WAD
    vault.submitCap(market.parameters, cap, sender=owner)
    chain.advance(DAY)
    vault.acceptCap(market.parameters, sender=owner)
    vault.setSupplyQueue([market.id], sender=owner)
    return vault
