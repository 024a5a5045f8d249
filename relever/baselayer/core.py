"""The core: WETH9, Lido, EigenLayer, Uniswap v3 and Symbiotic, deployed or found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from relever.artifacts import Artifact, artifact
from relever.baselayer import parts
from relever.baselayer.roles import Roles
from relever.baselayer.settings import LocalBaseLayer, local_base_layer, network_addresses
from relever.chain import Chain, Contract

_NOBODY = "0x0000000000000000000000000000000000000000"
_VERSION = "1"
# EigenLayer's own terms for rewards, in seconds: how long a submission may pay and how far back and
# ahead it may begin. Its genesis, before which nothing is paid for, is later than a local chain's.
_REWARDS_MAX_DURATION = 6_048_000
_REWARDS_MAX_RETROACTIVE = 7_776_000
_REWARDS_MAX_FUTURE = 2_592_000
_REWARDS_GENESIS = 0
# What an operator keeps, in 1e-4. The rewards updater is who reckons with it.
_OPERATOR_SPLIT = 1_000
_NOTHING_PAUSED = 0


@dataclass(frozen=True)
class Core:
    """The contracts of the base layer on one chain."""

    chain: Chain
    weth: Contract
    steth: Contract
    wsteth: Contract
    delegation_manager: Contract
    strategy_manager: Contract
    allocation_manager: Contract
    permission_controller: Contract
    rewards_coordinator: Contract
    wsteth_strategy: Contract
    uniswap_factory: Contract
    position_manager: Contract
    swap_router: Contract
    symbiotic_vault_factory: Contract
    symbiotic_vault_configurator: Contract
    symbiotic_network_registry: Contract
    symbiotic_operator_registry: Contract
    symbiotic_operator_vault_opt_in: Contract
    symbiotic_operator_network_opt_in: Contract
    symbiotic_network_middleware: Contract
    symbiotic_staker_rewards_factory: Contract

    def addresses(self) -> dict[str, str]:
        """Every contract's address by name; `load_core` takes it."""
        return {name: getattr(self, name).address for name in _ARTIFACTS}

    def on(self, chain: Chain) -> Core:
        """The same contracts seen through another chain, such as a fork of this one."""
        return load_core(chain, self.addresses())


# What each contract of the core is. The doubles have the interface of Lido's own.
_ARTIFACTS: dict[str, Callable[[], Artifact]] = {
    "weth": parts.weth9,
    "steth": lambda: artifact("StETHDouble"),
    "wsteth": lambda: artifact("WstETHDouble"),
    "delegation_manager": lambda: parts.eigenlayer_core("DelegationManager"),
    "strategy_manager": lambda: parts.eigenlayer_core("StrategyManager"),
    "allocation_manager": lambda: parts.eigenlayer_core("AllocationManager"),
    "permission_controller": lambda: parts.eigenlayer_core("PermissionController"),
    "rewards_coordinator": lambda: parts.eigenlayer_core("RewardsCoordinator"),
    "wsteth_strategy": lambda: parts.eigenlayer_periphery("StrategyBase"),
    "uniswap_factory": lambda: parts.uniswap_core("UniswapV3Factory"),
    "position_manager": lambda: parts.uniswap_periphery("NonfungiblePositionManager"),
    "swap_router": lambda: parts.uniswap_periphery("SwapRouter"),
    "symbiotic_vault_factory": lambda: parts.symbiotic("VaultFactory"),
    "symbiotic_vault_configurator": lambda: parts.symbiotic("VaultConfigurator"),
    "symbiotic_network_registry": lambda: parts.symbiotic("NetworkRegistry"),
    "symbiotic_operator_registry": lambda: parts.symbiotic("OperatorRegistry"),
    "symbiotic_operator_vault_opt_in": lambda: parts.symbiotic("OptInService"),
    "symbiotic_operator_network_opt_in": lambda: parts.symbiotic("OptInService"),
    "symbiotic_network_middleware": lambda: parts.symbiotic("NetworkMiddlewareService"),
    "symbiotic_staker_rewards_factory": lambda: parts.symbiotic("DefaultStakerRewardsFactory"),
}


def load_core(chain: Chain, source: str | Mapping[str, str]) -> Core:
    """Find a core that is there already.

    Everyone knows the keys of the node's accounts, and on public networks some of these accounts
    hold delegated code that moves what they receive: they become plain accounts again.

    Args:
        chain: a fork of the network.
        source: the network's name in `relever/config`, or the addresses by name. Without a
            `wsteth_strategy`, EigenLayer's strategy factory is asked for it, or told to make it.

    Raises:
        ValueError: the network is not known, or an address is missing or holds no code.
    """
    addresses = dict(network_addresses(source) if isinstance(source, str) else source)
    if "wsteth_strategy" not in addresses and "strategy_factory" in addresses:
        addresses["wsteth_strategy"] = _wsteth_strategy(chain, addresses)
    for name in _ARTIFACTS:
        if name not in addresses:
            raise ValueError(f"the base layer has no address for {name}: add it to the settings")
        if chain.rpc("eth_getCode", [addresses[name], "latest"]) == "0x":
            raise ValueError(
                f"{name} at {addresses[name]} holds no code: is this a fork of the right network?"
            )
    for account in chain.accounts:
        if chain.rpc("eth_getCode", [account, "latest"]) != "0x":
            chain.set_code(account, b"")
    return _bind(chain, addresses)


def deploy_core(chain: Chain, settings: LocalBaseLayer | None = None) -> Core:
    """Put the whole core onto a bare local chain, owned by the base layer's admin.

    Args:
        chain: a chain where that admin has not sent anything yet, for the addresses to repeat.
        settings: delays and amounts; those of `local.yaml` by default.
    """
    settings = settings or local_base_layer()
    roles = Roles.of(chain)
    admin = roles.base_admin
    contracts = {
        "weth": chain.deploy(parts.weth9(), sender=admin),
        **_deploy_lido(chain, settings, roles),
    }
    contracts |= _deploy_eigenlayer(chain, settings, admin, contracts["wsteth"])
    contracts |= _deploy_uniswap(chain, settings, admin, contracts["weth"])
    contracts |= _deploy_symbiotic(chain, admin)
    return _bind(chain, {name: contract.address for name, contract in contracts.items()})


def _bind(chain: Chain, addresses: Mapping[str, str]) -> Core:
    contracts = {
        name: chain.contract(addresses[name], build()) for name, build in _ARTIFACTS.items()
    }
    return Core(chain, **contracts)


def _wsteth_strategy(chain: Chain, addresses: Mapping[str, str]) -> str:
    factory = chain.contract(
        addresses["strategy_factory"], parts.eigenlayer_periphery("StrategyFactory")
    )
    strategy: str = factory.deployedStrategies(addresses["wsteth"])
    if strategy == _NOBODY:
        factory.deployNewStrategy(addresses["wsteth"])
        strategy = factory.deployedStrategies(addresses["wsteth"])
    return strategy


def _deploy_lido(chain: Chain, settings: LocalBaseLayer, roles: Roles) -> dict[str, Contract]:
    steth = chain.deploy(
        artifact("StETHDouble"),
        roles.lido_oracle,
        sender=roles.base_admin,
        value=settings.steth_initial_stake_wei,
    )
    steth.accrue_rewards(sender=roles.lido_oracle, value=settings.steth_initial_rewards_wei)
    wsteth = chain.deploy(artifact("WstETHDouble"), steth.address, sender=roles.base_admin)
    return {"steth": steth, "wsteth": wsteth}


def _deploy_eigenlayer(
    chain: Chain, settings: LocalBaseLayer, admin: str, wsteth: Contract
) -> dict[str, Contract]:
    """The managers know each other by constructor, so their proxies come first, still empty."""
    proxy_admin = chain.deploy(parts.eigenlayer_periphery("ProxyAdmin"), sender=admin)
    pausers = chain.deploy(
        parts.eigenlayer_periphery("PauserRegistry"), [admin], admin, sender=admin
    )
    empty = chain.deploy(parts.eigenlayer_periphery("EmptyContract"), sender=admin)

    def proxy(logic: Contract, data: bytes = b"") -> str:
        return chain.deploy(
            parts.eigenlayer_periphery("TransparentUpgradeableProxy"),
            logic.address,
            proxy_admin.address,
            data,
            sender=admin,
        ).address

    delegation, strategies, allocations, rewards = (proxy(empty) for _ in range(4))
    pods = chain.deploy(artifact("EigenPodManagerDouble"), sender=admin)
    permissions = chain.deploy(
        parts.eigenlayer_core("PermissionController"), _VERSION, sender=admin
    )

    def install(
        address: str, name: str, arguments: list[object], initial: list[object]
    ) -> Contract:
        part = parts.eigenlayer_core(name)
        logic = chain.deploy(part, *arguments, sender=admin)
        proxy_admin.upgradeAndCall(
            address, logic.address, logic.initialize.encode(*initial), sender=admin
        )
        return chain.contract(address, part)

    allocation_manager = install(
        allocations,
        "AllocationManager",
        [
            delegation,
            pausers.address,
            permissions.address,
            settings.deallocation_delay_blocks,
            settings.allocation_configuration_delay_blocks,
            _VERSION,
        ],
        [admin, _NOTHING_PAUSED],
    )
    delegation_manager = install(
        delegation,
        "DelegationManager",
        [
            strategies,
            pods.address,
            allocations,
            pausers.address,
            permissions.address,
            settings.withdrawal_delay_blocks,
            _VERSION,
        ],
        [admin, _NOTHING_PAUSED],
    )
    strategy_manager = install(
        strategies,
        "StrategyManager",
        [delegation, pausers.address, _VERSION],
        [admin, admin, _NOTHING_PAUSED],
    )
    rewards_coordinator = install(
        rewards,
        "RewardsCoordinator",
        [
            (
                delegation,
                strategies,
                allocations,
                pausers.address,
                permissions.address,
                settings.rewards_interval_seconds,
                _REWARDS_MAX_DURATION,
                _REWARDS_MAX_RETROACTIVE,
                _REWARDS_MAX_FUTURE,
                _REWARDS_GENESIS,
                _VERSION,
            )
        ],
        # The admin owns it and posts the roots.
        [
            admin,
            _NOTHING_PAUSED,
            admin,
            settings.rewards_activation_delay_seconds,
            _OPERATOR_SPLIT,
        ],
    )

    strategy_logic = chain.deploy(
        parts.eigenlayer_periphery("StrategyBase"), strategies, sender=admin
    )
    strategy = proxy(
        strategy_logic, strategy_logic.initialize.encode(wsteth.address, pausers.address)
    )
    strategy_manager.addStrategiesToDepositWhitelist([strategy], sender=admin)
    return {
        "delegation_manager": delegation_manager,
        "strategy_manager": strategy_manager,
        "allocation_manager": allocation_manager,
        "permission_controller": permissions,
        "rewards_coordinator": rewards_coordinator,
        "wsteth_strategy": chain.contract(strategy, parts.eigenlayer_periphery("StrategyBase")),
    }


def _deploy_uniswap(
    chain: Chain, settings: LocalBaseLayer, admin: str, weth: Contract
) -> dict[str, Contract]:
    factory = chain.deploy(parts.uniswap_core("UniswapV3Factory"), sender=admin)
    factory.enableFeeAmount(
        settings.uniswap_extra_fee_millionths,
        settings.uniswap_extra_fee_tick_spacing,
        sender=admin,
    )
    manager = chain.deploy(
        parts.uniswap_periphery("NonfungiblePositionManager"),
        factory.address,
        weth.address,
        _NOBODY,  # draws the position's picture
        sender=admin,
    )
    router = chain.deploy(
        parts.uniswap_periphery("SwapRouter"), factory.address, weth.address, sender=admin
    )
    return {"uniswap_factory": factory, "position_manager": manager, "swap_router": router}


def _deploy_symbiotic(chain: Chain, admin: str) -> dict[str, Contract]:
    """Numbered as on mainnet: vault version 1, delegator 0 restakes, slashers 0 instant, 1 veto."""

    def deploy(name: str, *arguments: object) -> Contract:
        return chain.deploy(parts.symbiotic(name), *arguments, sender=admin)

    vaults, delegators, slashers = (
        deploy(f"{kind}Factory", admin) for kind in ("Vault", "Delegator", "Slasher")
    )
    networks, operators = deploy("NetworkRegistry"), deploy("OperatorRegistry")
    middleware = deploy("NetworkMiddlewareService", networks.address)
    vault_opt_in = deploy(
        "OptInService", operators.address, vaults.address, "OperatorVaultOptInService"
    )
    network_opt_in = deploy(
        "OptInService", operators.address, networks.address, "OperatorNetworkOptInService"
    )

    vault = deploy("Vault", delegators.address, slashers.address, vaults.address)
    vaults.whitelist(vault.address, sender=admin)
    delegator = deploy(
        "NetworkRestakeDelegator",
        networks.address,
        vaults.address,
        vault_opt_in.address,
        network_opt_in.address,
        delegators.address,
        delegators.totalTypes(),
    )
    delegators.whitelist(delegator.address, sender=admin)
    instant = deploy(
        "Slasher", vaults.address, middleware.address, slashers.address, slashers.totalTypes()
    )
    slashers.whitelist(instant.address, sender=admin)
    veto = deploy(
        "VetoSlasher",
        vaults.address,
        middleware.address,
        networks.address,
        slashers.address,
        slashers.totalTypes(),
    )
    slashers.whitelist(veto.address, sender=admin)
    rewards = deploy("DefaultStakerRewards", vaults.address, middleware.address)
    return {
        "symbiotic_vault_factory": vaults,
        "symbiotic_vault_configurator": deploy(
            "VaultConfigurator", vaults.address, delegators.address, slashers.address
        ),
        "symbiotic_network_registry": networks,
        "symbiotic_operator_registry": operators,
        "symbiotic_operator_vault_opt_in": vault_opt_in,
        "symbiotic_operator_network_opt_in": network_opt_in,
        "symbiotic_network_middleware": middleware,
        "symbiotic_staker_rewards_factory": deploy("DefaultStakerRewardsFactory", rewards.address),
    }
