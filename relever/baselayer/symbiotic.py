"""Symbiotic on top of a core: two vaults over wstETH whose whole stake one network can slash."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from relever.baselayer import parts
from relever.baselayer.core import Core
from relever.baselayer.roles import Roles
from relever.baselayer.settings import local_base_layer
from relever.chain import Chain, Contract, Receipt

_NOBODY = "0x0000000000000000000000000000000000000000"
_UNLIMITED = 2**256 - 1
# Where slashed tokens go.
BURNER = "0x000000000000000000000000000000000000dEaD"
# Version and types, the same on mainnet and in a local core.
_VAULT_VERSION = 1
_RESTAKE_DELEGATOR = 0
_INSTANT, _VETO = 0, 1
_SLASHERS = ("Slasher", "VetoSlasher")
# A network's subnetworks are numbered; ours has this one.
_IDENTIFIER = 0
# Epochs until a network's change of resolver counts; Symbiotic wants three at least.
_RESOLVER_DELAY_EPOCHS = 3


@dataclass(frozen=True)
class SymbioticVault:
    """A vault with what belongs to it."""

    chain: Chain
    vault: Contract
    delegator: Contract
    slasher: Contract
    rewards: Contract
    network: str

    def distribute_rewards(self, token: Contract, amount: int) -> Receipt:
        """The network rewards who is staked now, by their shares; a second passes.

        Args:
            token: any; the network, its own middleware, holds it.
            amount: in the token's units.
        """
        captured = self.chain.timestamp
        self.chain.advance(1)
        highest_fee, no_hint = self.rewards.ADMIN_FEE_BASE(), b""
        token.approve(self.rewards.address, amount, sender=self.network)
        receipt: Receipt = self.rewards.distributeRewards(
            self.network,
            token.address,
            amount,
            encode(
                ["uint48", "uint256", "bytes", "bytes"], [captured, highest_fee, no_hint, no_hint]
            ),
            sender=self.network,
        )
        return receipt

    def pass_epoch(self) -> None:
        """Move time on to the first second of the next epoch."""
        self.chain.advance(self.vault.nextEpochStart() - self.chain.timestamp)

    def pass_exit_delay(self) -> None:
        """Move time on until what was withdrawn by now can be claimed."""
        self.pass_epoch()
        self.pass_epoch()


@dataclass(frozen=True)
class Symbiotic:
    """The two vaults, one slashed at once and one after a veto window; the AVS is their network.

    The one operator holds all shares of the AVS's only subnetwork, without a limit, so that the
    AVS can slash all that was staked at the time at which it captures the stake.
    """

    roles: Roles
    instant: SymbioticVault
    veto: SymbioticVault

    @property
    def chain(self) -> Chain:
        return self.instant.chain

    @property
    def subnetwork(self) -> bytes:
        """Symbiotic's name for the subnetwork: the network and a number."""
        return _subnetwork(self.roles)

    def addresses(self) -> dict[str, str]:
        """Every contract's address by name."""
        return {
            f"symbiotic_{kind}_{name}": getattr(getattr(self, kind), name).address
            for kind in ("instant", "veto")
            for name in ("vault", "delegator", "slasher", "rewards")
        }

    def on(self, chain: Chain) -> Symbiotic:
        """The same vaults seen through another chain, such as a fork of this one."""

        def moved(one: SymbioticVault, kind: int) -> SymbioticVault:
            return _bind(
                chain,
                kind,
                one.network,
                one.vault.address,
                one.delegator.address,
                one.slasher.address,
                one.rewards.address,
            )

        return Symbiotic(self.roles, moved(self.instant, _INSTANT), moved(self.veto, _VETO))

    def slash(self, amount: int, captured: int | None = None) -> Receipt:
        """Slash the operator in the instant vault.

        Args:
            amount: in asset units; Symbiotic takes no more than what was slashable at `captured`.
            captured: the time, in seconds, whose stake answers for it, in the last epoch's length;
                now by default, for which a second passes.
        """
        receipt: Receipt = self.instant.slasher.slash(
            self.subnetwork,
            self.roles.operator,
            amount,
            self._past(captured),
            b"",
            sender=self.roles.avs,
        )
        return receipt

    def request_slash(self, amount: int, captured: int | None = None) -> int:
        """Ask for a slash of the operator in the veto vault, see `slash`; returns its number."""
        receipt: Receipt = self.veto.slasher.requestSlash(
            self.subnetwork,
            self.roles.operator,
            amount,
            self._past(captured),
            b"",
            sender=self.roles.avs,
        )
        index: int = receipt.events[-1].args["slashIndex"]
        return index

    def execute_slash(self, index: int) -> Receipt:
        """Execute a requested slash, once its veto window has passed."""
        receipt: Receipt = self.veto.slasher.executeSlash(index, b"", sender=self.roles.avs)
        return receipt

    def veto_slash(self, index: int) -> Receipt:
        """Veto a requested slash, as the resolver."""
        receipt: Receipt = self.veto.slasher.vetoSlash(index, b"", sender=self.roles.resolver)
        return receipt

    def pass_veto_window(self) -> None:
        """Move time on until a slash requested by now can be executed."""
        self.chain.advance(self.veto.slasher.vetoDuration())

    def _past(self, captured: int | None) -> int:
        """Symbiotic captures the past only: let a second pass where that is needed."""
        now = self.chain.timestamp
        if captured is None:
            captured = now
        if captured >= now:
            self.chain.advance(captured + 1 - now)
        return captured


def build_symbiotic(core: Core, roles: Roles) -> Symbiotic:
    """Register the operator and the AVS, and create both vaults."""
    network, operator = roles.avs, roles.operator
    core.symbiotic_operator_registry.registerOperator(sender=operator)
    core.symbiotic_network_registry.registerNetwork(sender=network)
    core.symbiotic_network_middleware.setMiddleware(network, sender=network)
    core.symbiotic_operator_network_opt_in.fn("optIn(address)")(network, sender=operator)

    veto = create_vault(core, roles, _VETO)
    veto.slasher.setResolver(_IDENTIFIER, roles.resolver, b"", sender=network)
    return Symbiotic(roles, create_vault(core, roles, _INSTANT), veto)


def create_vault(
    core: Core, roles: Roles, slasher_type: int, collateral: str | None = None
) -> SymbioticVault:
    """Create a vault of the base layer's admin, whose whole stake the AVS can slash.

    Args:
        core: with Symbiotic in it.
        roles: who is the admin, the network, the operator.
        slasher_type: 0 for one that slashes at once, 1 for one with a veto window.
        collateral: the token to stake, wstETH by default.
    """
    chain, settings, admin = core.chain, local_base_layer(), roles.base_admin
    terms = (
        _VAULT_VERSION,
        admin,
        # Collateral, burner, epoch, then no whitelist and no limit, which the admin may bring in.
        encode(
            ["address", "address", "uint48", "bool", "bool", "uint256", *["address"] * 5],
            [
                collateral or core.wsteth.address,
                BURNER,
                settings.symbiotic_epoch_duration_seconds,
                False,
                False,
                0,
                *[admin] * 5,
            ],
        ),
        _RESTAKE_DELEGATOR,
        # The admin sets hook, limits and shares.
        encode(
            ["((address,address,address),address[],address[])"],
            [((admin, _NOBODY, admin), [admin], [admin])],
        ),
        True,
        slasher_type,
        _slasher_terms(slasher_type),
    )
    configurator = core.symbiotic_vault_configurator
    vault, delegator, slasher = configurator.create.call(terms)
    configurator.create(terms, sender=admin)
    # The admin may take a fee of the rewards, but takes none.
    no_fee = 0
    rewards_terms = (vault, no_fee, admin, admin, admin)
    factory = core.symbiotic_staker_rewards_factory
    rewards: str = factory.create.call(rewards_terms)
    factory.create(rewards_terms, sender=admin)
    made = _bind(chain, slasher_type, roles.avs, vault, delegator, slasher, rewards)

    subnetwork = _subnetwork(roles)
    core.symbiotic_operator_vault_opt_in.fn("optIn(address)")(
        made.vault.address, sender=roles.operator
    )
    made.delegator.setMaxNetworkLimit(_IDENTIFIER, _UNLIMITED, sender=roles.avs)
    made.delegator.setNetworkLimit(subnetwork, _UNLIMITED, sender=admin)
    one_share = 1
    made.delegator.setOperatorNetworkShares(subnetwork, roles.operator, one_share, sender=admin)
    return made


def _slasher_terms(slasher_type: int) -> bytes:
    tells_the_burner = False
    if slasher_type == _INSTANT:
        return encode(["((bool))"], [((tells_the_burner,),)])
    duration = local_base_layer().symbiotic_veto_duration_seconds
    return encode(
        ["((bool),uint48,uint256)"], [((tells_the_burner,), duration, _RESOLVER_DELAY_EPOCHS)]
    )


def _bind(
    chain: Chain,
    slasher_type: int,
    network: str,
    vault: str,
    delegator: str,
    slasher: str,
    rewards: str,
) -> SymbioticVault:
    return SymbioticVault(
        chain,
        chain.contract(vault, parts.symbiotic("Vault")),
        chain.contract(delegator, parts.symbiotic("NetworkRestakeDelegator")),
        chain.contract(slasher, parts.symbiotic(_SLASHERS[slasher_type])),
        chain.contract(rewards, parts.symbiotic("DefaultStakerRewards")),
        network,
    )


def _subnetwork(roles: Roles) -> bytes:
    return bytes.fromhex(roles.avs[2:]) + _IDENTIFIER.to_bytes(12, "big")
