"""The protocols Relever stands on, put onto a local chain or found on a forked one.

Two steps, so that a fork of a real chain can replace the first:

1. The *core*: WETH9, Lido, EigenLayer, Symbiotic, Uniswap v3. `deploy_core` puts it onto a bare
   chain, `load_core` finds it on a fork by the addresses in `relever/config`.
2. The *world* on top of a core: `build_world` adds an operator that can be slashed, two vaults in
   Symbiotic, and makes price feeds and pools when asked.

EigenLayer, Symbiotic, Chainlink and Uniswap are the published bytecode, and so is Balancer, which
`relever.baselayer.balancer` adds where it is needed. Lido's contracts are not published, so the
local core has doubles with Lido's interface. Shortened on a local chain, see
`relever/config/local.yaml`: EigenLayer's withdrawal, deallocation, configuration and rewards
delays, and Symbiotic's epochs.
"""

from relever.baselayer.chainlink import Feed
from relever.baselayer.core import Core, deploy_core, load_core
from relever.baselayer.rewards import RewardsClaim
from relever.baselayer.roles import Roles
from relever.baselayer.symbiotic import Symbiotic, SymbioticVault
from relever.baselayer.uniswap import Pool
from relever.baselayer.world import World, build_world

__all__ = [
    "Core",
    "Feed",
    "Pool",
    "RewardsClaim",
    "Roles",
    "Symbiotic",
    "SymbioticVault",
    "World",
    "build_world",
    "deploy_core",
    "load_core",
]
