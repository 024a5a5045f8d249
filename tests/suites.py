"""A vault with real adapters on a world, without what the deployment puts on top of it."""

from dataclasses import dataclass

from relever.artifacts import artifact
from relever.baselayer import World
from relever.chain import Chain, Contract
from relever.protocol import contract_address

WAD = 10**18
DAY = 86_400
UNLIMITED = 2**256 - 1
# The largest cap that the vault takes.
NO_CAP = 2**112
NOBODY = "0x0000000000000000000000000000000000000000"
SEED = 10**15
VIRTUAL = 10**9
UNLOCK_PERIOD = 7 * DAY
PATIENCE = 3 * DAY


def deploy_vault(world: World) -> Contract:
    """A vault over wstETH whose seed the owner pays."""
    chain, roles, wsteth = world.chain, world.roles, world.core.wsteth
    world.fund(roles.owner, wsteth=SEED)
    wsteth.approve(contract_address(chain, roles.owner, after=1), SEED, sender=roles.owner)
    return chain.deploy(
        artifact("LRTVault"),
        wsteth.address,
        "Relever LRT",
        "rLRT",
        roles.allocator,
        roles.guardian,
        UNLOCK_PERIOD,
        NO_CAP,
        roles.owner,
        sender=roles.owner,
    )


def deploy_exits(world: World, vault: Contract) -> Contract:
    """The queue and the side pocket of a vault; returns the queue."""
    chain, owner = world.chain, world.roles.owner
    queue = chain.deploy(artifact("WithdrawalQueue"), vault.address, PATIENCE, 0, sender=owner)
    pocket = chain.deploy(artifact("SidePocket"), vault.address, sender=owner)
    vault.set_exits(queue.address, pocket.address, sender=owner)
    return queue


def deploy_adapter(
    world: World,
    vault: Contract,
    operator: str | None = None,
    coordinator: str = NOBODY,
    seller: str = NOBODY,
) -> Contract:
    """EigenLayer's."""
    core = world.core
    return world.chain.deploy(
        artifact("EigenLayerAdapter"),
        vault.address,
        core.wsteth_strategy.address,
        core.delegation_manager.address,
        core.strategy_manager.address,
        operator or world.roles.operator,
        coordinator,
        seller,
        sender=world.roles.owner,
    )


def deploy_symbiotic_adapter(
    world: World,
    vault: Contract,
    symbiotic_vault: str,
    rewards: str = NOBODY,
    seller: str = NOBODY,
) -> Contract:
    return world.chain.deploy(
        artifact("SymbioticAdapter"),
        vault.address,
        symbiotic_vault,
        rewards,
        seller,
        sender=world.roles.owner,
    )


def enter(world: World, vault: Contract, who: str, amount: int) -> None:
    """Give somebody plenty of wstETH, of which `amount` goes into the vault."""
    wsteth = world.core.wsteth
    world.fund(who, wsteth=1_000 * WAD)
    wsteth.approve(vault.address, UNLIMITED, sender=who)
    if amount:
        vault.deposit(amount, who, sender=who)


def stake(world: World, vault: Contract, adapter: Contract, amount: int) -> None:
    """List an adapter without caps, and stake through it."""
    vault.add_adapter(adapter.address, NO_CAP, WAD, sender=world.roles.owner)
    vault.allocate(adapter.address, amount, sender=world.roles.allocator)


@dataclass(frozen=True)
class Suite:
    """A vault, its queue, and what tests do with them."""

    world: World
    vault: Contract
    queue: Contract
    adapters: tuple[Contract, ...]

    @property
    def chain(self) -> Chain:
        return self.world.chain

    @property
    def allocator(self) -> str:
        return self.world.roles.allocator

    def start_exit(self, adapter: Contract, amount: int) -> int:
        """The allocator takes stake back; returns the exit's id."""
        receipt = self.vault.deallocate(adapter.address, amount, sender=self.allocator)
        return int(receipt.events[-1].args["id"])

    def finish_exit(self, adapter: Contract, exit_id: int) -> int:
        """Anyone brings an exit home; returns what came."""
        stranger = self.world.roles.stranger
        receipt = self.vault.finish_exit(adapter.address, exit_id, sender=stranger)
        (finished,) = [
            event
            for event in receipt.events
            if event.name == "ExitFinished" and event.address == self.vault.address
        ]
        return int(finished.args["amount"])

    def redeem(self, shares: int, who: str) -> int:
        """Returns the assets paid."""
        receipt = self.vault.redeem(shares, who, who, sender=who)
        return int(receipt.events[-1].args["assets"])

    def join(self, shares: int, who: str) -> int:
        """Request; returns the request's id."""
        self.vault.approve(self.queue.address, shares, sender=who)
        receipt = self.queue.requestRedeem(shares, who, who, sender=who)
        return int(receipt.events[-1].args["requestId"])

    def finalize(self) -> None:
        self.queue.finalize(10, sender=self.world.roles.stranger)

    def claim(self, request: int, who: str) -> int:
        """Returns the assets paid, by their owner's balance."""
        wsteth = self.world.core.wsteth
        had = wsteth.balanceOf(who)
        self.queue.claim(request, who, sender=who)
        return int(wsteth.balanceOf(who) - had)

    def worth(self, total: int, shares: int) -> int:
        """Shares at a total, rounded down, without asking the vault."""
        return shares * (total + VIRTUAL) // (int(self.vault.totalSupply()) + VIRTUAL)

    def conserved(self) -> None:
        """Every unit is idle, booked or set aside, every token in its place, and the books are what
        the adapters say.
        """
        vault, queue, wsteth = self.vault, self.queue, self.world.core.wsteth
        booked = 0
        for adapter in self.adapters:
            assert vault.booked(adapter.address) == adapter.total_assets()
            assert adapter.total_assets() == adapter.staked() + adapter.exiting()
            assert wsteth.balanceOf(adapter.address) == 0
            booked += adapter.total_assets()
        assert wsteth.balanceOf(vault.address) == vault.idle()
        assert wsteth.balanceOf(queue.address) == queue.set_aside()
        assert vault.balanceOf(queue.address) == vault.queued_shares()
        assert vault.totalAssets() + vault.locked_profit() == vault.idle() + booked
