"""What a deployment stands on, looked at before anything is paid for."""

from __future__ import annotations

from dataclasses import dataclass

from relever.artifacts import Artifact, artifact
from relever.baselayer import parts
from relever.chain import Chain, Contract, Revert, RpcError
from relever.deploy.plan import DETERMINISTIC, PlanError
from relever.deploy.settings import Places, Settings

# What each part is for, and what can be done where a network lacks it.
NEEDED = {
    "weth": "the loan token",
    "wsteth": "the vault's asset",
    "uniswap_factory": "the pools of the exit",
    "lst_pool": "the sale of wstETH: a Uniswap v3 pool of wstETH and WETH; make one",
    "delegation_manager": "the position in EigenLayer",
    "strategy_manager": "the position in EigenLayer",
    "wsteth_strategy": "the position in EigenLayer: anyone makes the strategy by "
    "StrategyFactory.deployNewStrategy(wstETH)",
    "operator": "the position in EigenLayer: a registered operator that asks for no approval; "
    "anyone becomes one by DelegationManager.registerAsOperator",
    "symbiotic_vault": "the position in Symbiotic: a vault of wstETH; anyone makes one by "
    "VaultConfigurator.create",
    "feed": "the market price: a feed of the LRT in WETH, 18 decimals",
}
# What we have a double for, which is used on testnets only.
DOUBLES = {"feed": "MarketFeedDouble"}
_WAD = 10**18


@dataclass(frozen=True)
class Missing:
    """A part that a network does not have, as far as its file says."""

    name: str
    what_for: str

    def __str__(self) -> str:
        return f"{self.name} ({self.what_for})"


def missing(places: Places) -> list[Missing]:
    """Which parts the file names no address of."""
    return [
        Missing(name, what_for)
        for name, what_for in NEEDED.items()
        if getattr(places, name) is None
    ]


def check_parts(settings: Settings, file: str, *, doubles: bool) -> None:
    """That every part is named, or may be a double. Raises `PlanError`, which names all."""
    lacking = missing(settings.base_layer.addresses)
    if doubles and not settings.network.testnet:
        raise PlanError("doubles stand in on testnets only: name the real parts instead")
    left = [one for one in lacking if not (doubles and one.name in DOUBLES)]
    if left:
        names = "\n".join(f"  {one}" for one in left)
        offered = [one.name for one in left if one.name in DOUBLES]
        offer = (
            f"\nOn a testnet, --doubles puts a double of ours in the place of: {', '.join(offered)}"
            if offered and settings.network.testnet
            else ""
        )
        raise PlanError(f"{file} lacks parts of the base layer:\n{names}{offer}")


def check_chain(chain: Chain, settings: Settings) -> None:
    """That it is the right chain. Raises `PlanError`, before anything else is asked."""
    expected = settings.network.chain_id
    if chain.chain_id != expected:
        raise PlanError(
            f"the node is of chain {chain.chain_id}, and the settings are for {expected}: name the "
            "right network or node"
        )
    if chain.rpc("eth_getCode", [DETERMINISTIC, "latest"]) == "0x":
        raise PlanError(
            f"chain {expected} has no deterministic deployer at {DETERMINISTIC}: put it there by "
            "its keyless transaction (github.com/Arachnid/deterministic-deployment-proxy), "
            "which anyone can send"
        )


def check_places(chain: Chain, settings: Settings) -> None:
    """That each address holds what it should. Raises `PlanError`, which names every fault."""
    places = settings.base_layer.addresses
    faults = []
    for name in (*NEEDED, "rewards_coordinator", "symbiotic_rewards"):
        place = getattr(places, name)
        if place is None or name == "operator":
            continue
        if chain.rpc("eth_getCode", [place, "latest"]) == "0x":
            faults.append(f"{name} at {place} holds no code")
    faults = faults or _Inspection(chain, settings).faults()
    if faults:
        raise PlanError(
            "the base layer is not what it should be:\n" + "\n".join(f"  {one}" for one in faults)
        )


class _Inspection:
    """Questions to what stands there; whatever does not answer is a fault."""

    def __init__(self, chain: Chain, settings: Settings) -> None:
        self._chain, self._settings = chain, settings
        self._places = settings.base_layer.addresses
        self._faults: list[str] = []

    def faults(self) -> list[str]:
        """Every one, in words."""
        places = self._places
        checks = {
            "wsteth": self._wsteth,
            "wsteth_strategy": self._strategy,
            "operator": self._operator,
            "symbiotic_vault": self._symbiotic,
            "lst_pool": self._pool,
            "feed": self._feed,
        }
        for name, check in checks.items():
            if getattr(places, name) is None:
                continue
            try:
                check()
            except (Revert, RpcError) as error:
                if isinstance(error, RpcError) and error.code == 0 and "returned" not in str(error):
                    raise
                self._faults.append(f"{name} at {getattr(places, name)} is not it: {error}")
        return self._faults

    def _at(self, name: str, kind: Artifact) -> Contract:
        return self._chain.contract(getattr(self._places, name), kind)

    def _expect(self, holds: bool, fault: str) -> None:
        if not holds:
            self._faults.append(fault)

    def _wsteth(self) -> None:
        rate = self._at("wsteth", artifact("WstETHDouble")).stEthPerToken()
        sane = _WAD <= rate < 3 * _WAD
        self._expect(sane, f"wsteth: a wstETH is said to be worth {rate / _WAD:.3f} stETH")

    def _strategy(self) -> None:
        strategy = self._at("wsteth_strategy", parts.eigenlayer_periphery("StrategyBase"))
        token = strategy.underlyingToken()
        self._expect(token == self._places.wsteth, f"wsteth_strategy: is of {token}, not wstETH")

    def _operator(self) -> None:
        manager = self._at("delegation_manager", parts.eigenlayer_core("DelegationManager"))
        operator = self._places.operator
        self._expect(
            manager.isOperator(operator), f"operator: {operator} is none in EigenLayer's manager"
        )

    def _symbiotic(self) -> None:
        vault = self._at("symbiotic_vault", parts.symbiotic("Vault"))
        token = vault.collateral()
        self._expect(token == self._places.wsteth, f"symbiotic_vault: takes {token}, not wstETH")
        self._expect(vault.isInitialized(), "symbiotic_vault: is not initialised")

    def _pool(self) -> None:
        pool = self._at("lst_pool", parts.uniswap_core("UniswapV3Pool"))
        tokens = {pool.token0(), pool.token1()}
        pair = {self._places.wsteth, self._places.weth}
        self._expect(tokens == pair, f"lst_pool: is of {', '.join(sorted(tokens))}")

    def _feed(self) -> None:
        feed = self._at("feed", artifact("MarketFeedDouble"))
        decimals, (_, answer, _, updated, _) = feed.decimals(), feed.latestRoundData()
        if decimals > 36:
            self._faults.append(f"feed: has {decimals} decimals")
            return
        bounds = self._settings.protocol.oracle
        price = answer * 10 ** (36 - decimals)
        sane = bounds.feed_min_answer_e36 <= price <= bounds.feed_max_answer_e36
        self._expect(sane, f"feed: says {answer} of {decimals} decimals, out of the bounds")
        now = max(self._chain.timestamp, updated)
        age = now - updated
        fresh = age <= bounds.feed_max_age_seconds
        self._expect(
            fresh, f"feed: its answer is {age} s old, {bounds.feed_max_age_seconds} at most"
        )
