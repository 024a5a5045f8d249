"""Balancer v2: the Vault that holds every pool's tokens, and stable pools in it.

A stable pool trades tokens at nearly the price that their rates say, as long as it holds a fair
amount of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from eth_abi.abi import encode

from relever.artifacts import Artifact
from relever.baselayer import parts
from relever.baselayer.core import Core
from relever.chain import Chain, Contract, Receipt

UNLIMITED = 2**256 - 1
_GIVEN_IN, _INITIAL_JOIN = 0, 0
# How long Balancer's governance could pause the Vault and pools: never here.
_NO_PAUSE = 0, 0
# The most that Balancer may take of yields and of managed assets: nothing is taken here.
_MAX_YIELD_FEE_WAD, _MAX_AUM_FEE_WAD = 5 * 10**17, 5 * 10**17


def _vault() -> Artifact:
    return parts.balancer("20210418-vault", "Vault")


def _pool() -> Artifact:
    return parts.balancer("20230206-composable-stable-pool-v3", "ComposableStablePool")


@dataclass(frozen=True)
class Balancer:
    """The Vault, and who tells pools what Balancer takes of their fees."""

    core: Core
    vault: Contract
    fee_provider: Contract

    @property
    def chain(self) -> Chain:
        return self.core.chain


@dataclass(frozen=True)
class StablePool:
    """A pool; `tokens` in the order of the addresses, without the pool's own shares."""

    vault: Contract
    contract: Contract
    pool_id: bytes
    tokens: tuple[str, ...]

    @property
    def address(self) -> str:
        return self.contract.address

    def on(self, chain: Chain) -> StablePool:
        """The same pool seen through another chain, such as a fork of this one."""
        return replace(
            self,
            vault=chain.contract(self.vault.address, _vault()),
            contract=chain.contract(self.address, _pool()),
        )

    def balances(self) -> dict[str, int]:
        """What the pool has of each token, by address, in smallest units."""
        tokens, balances, _ = self.vault.getPoolTokens(self.pool_id)
        held = dict(zip(tokens, balances, strict=True))
        return {token: held[token] for token in self.tokens}


def deploy_balancer(core: Core, admin: str) -> Balancer:
    """Put Balancer onto a chain, governed by `admin`.

    Args:
        core: where WETH is.
        admin: deploys, and may change fees.
    """
    chain = core.chain
    authorizer = chain.deploy(
        parts.balancer("20210418-authorizer", "Authorizer"), admin, sender=admin
    )
    vault = chain.deploy(_vault(), authorizer.address, core.weth.address, *_NO_PAUSE, sender=admin)
    fee_provider = chain.deploy(
        parts.balancer(
            "20220725-protocol-fee-percentages-provider", "ProtocolFeePercentagesProvider"
        ),
        *(vault.address, _MAX_YIELD_FEE_WAD, _MAX_AUM_FEE_WAD),
        sender=admin,
    )
    return Balancer(core, vault, fee_provider)


def create_stable_pool(
    balancer: Balancer,
    amounts: Sequence[tuple[Contract, int, str]],
    amplification: int,
    fee_wad: int,
    provider: str,
) -> StablePool:
    """Create a pool and fill it.

    Args:
        balancer: where the Vault is.
        amounts: each token with how much of it goes in, in its smallest unit, and the contract that
            says its rate in WAD by `getRate()`, or the zero address for a rate of one.
        amplification: 1 to 5000; the higher, the longer the price stays at the rates.
        fee_wad: of what is sold, 1e-6 to 0.1 in WAD.
        provider: holds the amounts, and gets the pool's shares.
    """
    chain, vault = balancer.chain, balancer.vault
    in_order = sorted(amounts, key=lambda part: int(part[0].address, 16))
    tokens = tuple(token.address for token, _, _ in in_order)
    # The rate providers are asked whenever time has passed since the last swap.
    fresh, exempt = [0] * len(tokens), [False] * len(tokens)
    pool = chain.deploy(
        _pool(),
        (
            *(vault.address, balancer.fee_provider.address),
            *("Stable pool", "BPT"),
            *(tokens, [rates for _, _, rates in in_order], fresh, exempt),
            *(amplification, fee_wad, *_NO_PAUSE, provider, ""),
        ),
        sender=provider,
    )
    for token, amount, _ in in_order:
        token.approve(vault.address, amount, sender=provider)
    pool_id = pool.getPoolId()
    registered = vault.getPoolTokens(pool_id)[0]
    given = {token.address: amount for token, amount, _ in in_order}
    # The pool mints its shares itself and puts those that nobody owns into the Vault.
    wanted = [given.get(token, 0) for token in registered]
    most = [given.get(token, UNLIMITED) for token in registered]
    data = encode(["uint256", "uint256[]"], [_INITIAL_JOIN, wanted])
    vault.joinPool(pool_id, provider, provider, (registered, most, data, False), sender=provider)
    return StablePool(vault, pool, pool_id, tokens)


def swap(pool: StablePool, token_in: Contract, token_out: str, amount: int, trader: str) -> Receipt:
    """Sell an exact amount to the pool at any price, by the Vault itself.

    Args:
        pool: sells the token at address `token_out`.
        token_in: the token sold.
        token_out: the address of the token bought.
        amount: in the smallest unit of what is sold; the trader holds it.
        trader: sells and receives.
    """
    vault = pool.vault
    token_in.approve(vault.address, amount, sender=trader)
    sale = pool.pool_id, _GIVEN_IN, token_in.address, token_out, amount, b""
    receipt: Receipt = vault.swap(sale, (trader, False, trader, False), 0, UNLIMITED, sender=trader)
    return receipt
