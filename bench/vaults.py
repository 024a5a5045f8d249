"""What vaults cost: ours beside OpenZeppelin's and MetaMorpho, and ours with syncs and its queue.

Beside the peers every vault is over WETH. Ours lists a Symbiotic adapter with nothing staked in it,
so there is nothing to sync; where no row says so, no profit unlocks in it and no exit fee is set.
MetaMorpho supplies what comes to a market that is half lent out. The rows with syncs are over the
double of wstETH, which EigenLayer and Symbiotic stake here; the vault in Symbiotic is the one with
a veto window, which costs more to read.

Every figure is of a transaction 12 seconds after the one before; approvals were given before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.peers import Code, deploy_metamorpho, deploy_morpho_market
from bench.report import Row
from relever.artifacts import artifact
from relever.baselayer import SymbioticVault, World
from relever.baselayer.symbiotic import create_vault
from relever.chain import Contract, Receipt
from relever.config import section
from relever.protocol import NOBODY, PRICE_SCALE, UNLIMITED, WAD, contract_address

DEPOSIT_TARGET = 1.20
BLOCK = 12  # seconds
HOLDING = 1_000 * WAD
DEPOSITED = 100 * WAD
STAKED = 40 * WAD
AMOUNT = 10 * WAD
LARGEST_EXIT_FEE = WAD // 100
SLASH = WAD // 100  # of EigenLayer's operator
MORPHO_LTV = 945 * WAD // 1000
LINE = 10  # requests that one finalisation pays

MakeAdapter = Callable[[World, Contract], Contract]


def vault_rows(world: World, code: Code) -> list[Row]:
    """Every row about vaults."""
    return [*beside_peers(world, code), *with_syncs(world)]


# --- beside peers ---------------------------------------------------------------------------------


def beside_peers(world: World, code: Code) -> list[Row]:
    """Our vault without stake, next to each peer."""
    weth = world.core.weth
    ours = without_stake(world)
    with world.chain.isolated():
        openzeppelin = _erc4626(world, _openzeppelin(world, code), weth)
    with world.chain.isolated():
        metamorpho = _erc4626(world, _metamorpho(world, code), weth)
    rows: list[Row] = []
    for what, gas in ours.items():
        target = DEPOSIT_TARGET if what.startswith("deposit") else None
        rows += [
            Row(what, gas, openzeppelin[what], "OpenZeppelin", target),
            Row(what, gas, metamorpho[what], "MetaMorpho"),
        ]
    for name, change, affected in (
        ("unlocking", _pay_rewards, ("deposit", "redeem")),
        ("exit fee", _set_exit_fee, ("redeem",)),
    ):
        with world.chain.isolated():
            vault = _our_weth_vault(world)
            change(world, vault)
            figures = _erc4626(world, vault, weth)
        rows += [
            Row(f"{name}: {what}", figures[what], openzeppelin[what], "OpenZeppelin")
            for what in affected
        ]
    return rows


def without_stake(world: World) -> dict[str, int]:
    """Gas of our vault with nothing to sync."""
    with world.chain.isolated():
        return _erc4626(world, _our_weth_vault(world), world.core.weth)


def _our_weth_vault(world: World) -> Contract:
    vault, _ = _our_vault(world, world.core.weth)
    _list_adapter(world, vault, _weth_adapter(world, vault))
    return vault


def _pay_rewards(world: World, vault: Contract) -> None:
    """Profit that unlocks throughout."""
    payer = world.roles.keeper
    _give(world, world.core.weth, payer, vault)
    vault.pay_rewards(AMOUNT, sender=payer)


def _set_exit_fee(world: World, vault: Contract) -> None:
    """A fee that every exit pays, since more than is idle is the buffer; it unlocks as profit."""
    _pay_rewards(world, vault)
    vault.set_exit_fee(HOLDING, LARGEST_EXIT_FEE, sender=world.roles.owner)


def _openzeppelin(world: World, code: Code) -> Contract:
    weth, owner = world.core.weth, world.roles.owner
    return world.chain.deploy(code.openzeppelin_vault, weth.address, sender=owner)


def _metamorpho(world: World, code: Code) -> Contract:
    chain, core, roles = world.chain, world.core, world.roles
    lender, borrower = roles.liquidity_provider, roles.borrower
    oracle = chain.deploy(artifact("OneWordOracle"), PRICE_SCALE, sender=roles.owner)
    tokens = core.weth, core.wsteth
    market = deploy_morpho_market(chain, code, roles.owner, *tokens, oracle, MORPHO_LTV)
    morpho, terms = market.morpho, market.parameters
    _give(world, core.weth, lender, morpho)
    _give(world, core.wsteth, borrower, morpho)
    morpho.supply(terms, DEPOSITED, 0, lender, b"", sender=lender)
    morpho.supplyCollateral(terms, DEPOSITED, borrower, b"", sender=borrower)
    morpho.borrow(terms, DEPOSITED // 2, 0, borrower, borrower, sender=borrower)
    return deploy_metamorpho(chain, code, roles.owner, market)


# --- ours alone -----------------------------------------------------------------------------------


def with_syncs(world: World) -> list[Row]:
    """Our vault with stake, by where it has it, and its queue."""
    eigenlayer, symbiotic = _eigenlayer_adapter, _symbiotic_adapter
    both = (eigenlayer, symbiotic)
    rows: list[Row] = []
    for name, makers in (
        ("EigenLayer", (eigenlayer,)),
        ("Symbiotic", (symbiotic,)),
        ("both", both),
    ):
        with _staking(world, *makers) as (vault, _):
            figures = _erc4626(world, vault, world.core.wsteth)
        rows += [Row(f"{name}: {what}", gas) for what, gas in figures.items()]
    with _staking(world, *both) as (vault, _):
        rows += [Row(f"both: {what}", gas) for what, gas in _sync(world, vault).items()]
    with _staking(world, *both) as (vault, queue):
        figures = _queue(world, vault, queue)
        rows += [Row(f"both: {what}", gas) for what, gas in figures.items()]
    return rows


@contextmanager
def _staking(world: World, *makers: MakeAdapter) -> Iterator[tuple[Contract, Contract]]:
    """A vault with assets staked by each adapter and some idle, and its queue."""
    with world.chain.isolated():
        vault, queue = _our_vault(world, world.core.wsteth)
        _enter(world, vault, world.core.wsteth, world.roles.lender)
        for make in makers:
            adapter = make(world, vault)
            _list_adapter(world, vault, adapter)
            vault.allocate(adapter.address, STAKED, sender=world.roles.allocator)
        yield vault, queue


def _sync(world: World, vault: Contract) -> dict[str, int]:
    gas = {"sync, nothing new": _gas(world, lambda: vault.sync())}
    world.slash(SLASH)
    return gas | {"sync, a slash in one": _gas(world, lambda: vault.sync())}


def _queue(world: World, vault: Contract, queue: Contract) -> dict[str, int]:
    user, keeper = world.roles.depositor, world.roles.keeper
    _enter(world, vault, world.core.wsteth, user)
    vault.approve(queue.address, UNLIMITED, sender=user)

    def request() -> Any:
        return queue.requestRedeem(WAD, user, user, sender=user)

    def finalize() -> Any:
        return queue.finalize(LINE, sender=keeper)

    first, again = _gas(world, request), _gas(world, request)
    finalize()
    request()
    one = _gas(world, finalize)
    for _ in range(LINE):
        request()
    return {
        "requestRedeem, first": first,
        "requestRedeem": again,
        "finalize 1": one,
        f"finalize {LINE}": _gas(world, finalize),
        "claim": _gas(world, lambda: queue.claim(queue.head() - 1, user, sender=user)),
    }


# --- scenes ---------------------------------------------------------------------------------------


def _our_vault(world: World, asset: Contract) -> tuple[Contract, Contract]:
    """A vault with the deployment's own settings, and its queue."""
    chain, roles, settings = world.chain, world.roles, section("local", "protocol")["vault"]
    _fund(world, asset, roles.owner)
    # The approval is a transaction too: the vault, which takes its seed, comes with the nonce after
    # it.
    asset.approve(contract_address(chain, roles.owner, after=1), UNLIMITED, sender=roles.owner)
    vault = chain.deploy(
        artifact("LRTVault"),
        asset.address,
        settings["name"],
        settings["symbol"],
        roles.allocator,
        roles.guardian,
        settings["unlock_period_seconds"],
        settings["deposit_cap_wei"],
        roles.owner,
        sender=roles.owner,
    )
    patience = settings["queue_patience_seconds"]
    arguments = vault.address, patience, 0
    queue = chain.deploy(artifact("WithdrawalQueue"), *arguments, sender=roles.owner)
    pocket = chain.deploy(artifact("SidePocket"), vault.address, sender=roles.owner)
    vault.set_exits(queue.address, pocket.address, sender=roles.owner)
    return vault, queue


def _list_adapter(world: World, vault: Contract, adapter: Contract) -> None:
    cap = section("local", "protocol")["vault"]["eigenlayer_cap_wei"]
    vault.add_adapter(adapter.address, cap, WAD, sender=world.roles.owner)


def _eigenlayer_adapter(world: World, vault: Contract) -> Contract:
    core = world.core
    places = (core.wsteth_strategy, core.delegation_manager, core.strategy_manager)
    return world.chain.deploy(
        artifact("EigenLayerAdapter"),
        vault.address,
        *[place.address for place in places],
        world.roles.operator,
        NOBODY,
        NOBODY,
        sender=world.roles.owner,
    )


def _symbiotic_adapter(world: World, vault: Contract) -> Contract:
    return _adapter_to(world, vault, world.symbiotic.veto)


def _weth_adapter(world: World, vault: Contract) -> Contract:
    core, roles = world.core, world.roles
    return _adapter_to(world, vault, create_vault(core, roles, 0, collateral=core.weth.address))


def _adapter_to(world: World, vault: Contract, place: SymbioticVault) -> Contract:
    addresses = (vault.address, place.vault.address, NOBODY, NOBODY)
    return world.chain.deploy(artifact("SymbioticAdapter"), *addresses, sender=world.roles.owner)


def _fund(world: World, asset: Contract, user: str) -> None:
    if asset is world.core.weth:
        world.fund(user, weth=HOLDING)
    else:
        world.fund(user, wsteth=HOLDING)


def _give(world: World, asset: Contract, user: str, spender: Contract) -> None:
    """Give tokens to someone who lets the spender take any amount."""
    _fund(world, asset, user)
    asset.approve(spender.address, UNLIMITED, sender=user)


def _enter(world: World, vault: Contract, asset: Contract, user: str) -> None:
    _give(world, asset, user, vault)
    vault.deposit(DEPOSITED, user, sender=user)


# --- measuring ------------------------------------------------------------------------------------


def _erc4626(world: World, vault: Contract, asset: Contract) -> dict[str, int]:
    """Gas of deposits into any vault and of redemptions from it."""
    regular, newcomer = world.roles.depositor, world.roles.stranger
    _enter(world, vault, asset, regular)
    _give(world, asset, newcomer, vault)

    def deposit(user: str) -> int:
        return _gas(world, lambda: vault.deposit(AMOUNT, user, sender=user))

    def redeem(user: str, shares: int) -> int:
        return _gas(world, lambda: vault.redeem(shares, user, user, sender=user))

    return {
        "deposit": deposit(regular),
        "deposit, first": deposit(newcomer),
        "redeem": redeem(regular, AMOUNT // 2),
        "redeem, all": redeem(newcomer, vault.balanceOf(newcomer)),
    }


def _gas(world: World, act: Callable[[], Any]) -> int:
    """Gas of a whole transaction, a block's time after what came before."""
    world.chain.advance(BLOCK)
    receipt: Receipt = act()
    return receipt.gas_used
