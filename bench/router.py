"""What opening and closing by the router cost, all checks on, beside the least on Morpho Blue.

The whole suite is deployed for the tokens, their conversion and the pool. Our market and one of
Morpho Blue's stand on it with the same oracle of one word. Morpho's looper is the least that works:
it is told whether to swap or to mint and what that will give, believes its callers and checks
nothing. The router is told what minting gives, as it may be, or asks for it itself; both are shown.
Each figure is of a user who has done the same before, 12 seconds after the transaction before it.
All helpers hold a unit of each token at first. The looper may spend its own: what it pays to fill
an empty word is paid back when the word is empty again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.peers import Code, deploy_morpho_market
from bench.report import Row
from bench.venues import CAP, TERMS, THRESHOLD, gas_of
from relever.artifacts import artifact
from relever.baselayer import build_world, deploy_core
from relever.chain import Chain, Contract
from relever.model.paths import MINT_ALL
from relever.protocol import ADAPTERS, UNLIMITED, WAD, deploy

# The most that ours may cost, as a multiple of what Morpho's looper costs.
TARGETS = {
    "open, mint": 0.85,
    "open, swap": 0.90,
    "open, mint, rate asked": 0.85,
    "open, swap, rate asked": 0.90,
    "close, half": 0.90,
    "close, whole": 0.90,
}
BLOCK = 12  # seconds
LENT = 10_000 * WAD
DEPOSITED = 500 * WAD
EQUITY, BORROWED = 2 * WAD, 4 * WAD
# A trader sells as much LRT, so that it is dearer to mint than to buy.
SOLD = 40 * WAD
SWAP = 1  # of the ways out that `IRoute` knows
NO_BOUNDS = (0, UNLIMITED, 0, UNLIMITED, WAD)


class Bench:
    """The suite, and on it a market of ours and one of Morpho's, with lenders."""

    def __init__(self, chain: Chain, code: Code) -> None:
        self.scene = deploy(build_world(deploy_core(chain)), adapters=ADAPTERS[:1])
        world, roles, protocol = self.scene.world, self.scene.roles, self.scene.protocol
        owner, weth, vault = roles.owner, world.core.weth, protocol.vault
        price = protocol.oracle.fundamental()
        oracle = chain.deploy(artifact("OneWordOracle"), price, sender=owner)
        places = (weth.address, vault.address, oracle.address)
        made = protocol.factory.create_market(
            (*places, *TERMS.values()), "Lent", "LENT", sender=owner
        )
        self.market = chain.contract(made.events[-1].args["market"], artifact("LendingMarket"))
        self.market.set_caps((CAP, CAP, 0), sender=owner)
        protocol.factory.list_market(self.market.address, sender=owner)
        self.morpho = deploy_morpho_market(chain, code, owner, weth, vault, oracle, THRESHOLD)
        swap = protocol.swap.address
        self.looper = chain.deploy(
            artifact("MorphoLooper"),
            *(self.morpho.morpho.address, self.morpho.parameters),
            *(world.core.wsteth.address, swap),
            sender=owner,
        )
        self._lend()
        world.fund(roles.depositor, wsteth=DEPOSITED)
        world.core.wsteth.approve(vault.address, UNLIMITED, sender=roles.depositor)
        vault.deposit(DEPOSITED, roles.depositor, sender=roles.depositor)
        self.user = roles.looper
        self._drop(protocol.router, self.looper, protocol.swap)
        world.fund(self.user, weth=100 * EQUITY)
        for helper in (self.looper, protocol.router):
            weth.approve(helper.address, UNLIMITED, sender=self.user)
        self.market.set_authorization(protocol.router.address, True, sender=self.user)
        self.morpho.morpho.setAuthorization(self.looper.address, True, sender=self.user)

    def _drop(self, *helpers: Contract) -> None:
        """Each helper holds a unit of every token before and after, as one that is used does."""
        depositor, core = self.scene.roles.depositor, self.scene.world.core
        self.scene.world.fund(depositor, weth=len(helpers), wsteth=len(helpers))
        for token in (core.weth, core.wsteth, self.scene.protocol.vault):
            for helper in helpers:
                token.transfer(helper.address, 1, sender=depositor)

    def _lend(self) -> None:
        lender, weth = self.scene.roles.lender, self.scene.world.core.weth
        self.scene.world.fund(lender, weth=2 * LENT)
        for place in (self.market, self.morpho.morpho):
            weth.approve(place.address, UNLIMITED, sender=lender)
        self.market.deposit(LENT, lender, sender=lender)
        self.morpho.morpho.supply(self.morpho.parameters, LENT, 0, lender, b"", sender=lender)

    def cheapen(self) -> None:
        """The LRT's pool pays more than minting."""
        roles, protocol = self.scene.roles, self.scene.protocol
        self.scene.world.swap(self.scene.lrt_pool, protocol.vault, SOLD, roles.depositor)

    def ours(self) -> dict[str, int]:
        """Gas of each by the router."""
        asked = {f"{what}, rate asked": gas for what, gas in self._ours(told=False).items()}
        return self._ours(told=True) | asked

    def _ours(self, told: bool) -> dict[str, int]:
        router, market, weth = self.scene.protocol.router, self.market, self.scene.world.core.weth

        def open_loop(swaps: bool) -> Any:
            inputs = (market.address, weth.address, EQUITY, BORROWED, NO_BOUNDS)
            rate = self._mint_rate() if swaps else MINT_ALL
            return router.open(*inputs, rate if told else 0, sender=self.user)

        def close(part: int) -> Any:
            collateral, debt = market.position(self.user)
            out, repay = collateral // part, UNLIMITED if part == 1 else debt // part
            return router.close(market.address, out, repay, SWAP, NO_BOUNDS, sender=self.user)

        return self._play(open_loop, close)

    def _mint_rate(self) -> int:
        """LRT that minting gives for a WETH in WAD, rounded up as the router takes it."""
        staked = self.scene.world.core.wsteth.getWstETHByStETH(WAD) + 1
        return int(self.scene.protocol.vault.previewDeposit(staked)) + 1

    def peers(self) -> dict[str, int]:
        """Gas of each by Morpho's looper."""
        looper, vault, chain = self.looper, self.scene.protocol.vault, self.scene.chain
        morpho, id = self.morpho.morpho, self.morpho.id

        def open_loop(swaps: bool) -> Any:
            with chain.isolated():
                looper.open(EQUITY, BORROWED, BORROWED, swaps, sender=self.user)
                gives = vault.balanceOf(looper.address) + BORROWED
            return looper.open(EQUITY, BORROWED, gives, swaps, sender=self.user)

        def close(part: int) -> Any:
            _, shares, collateral = morpho.position(id, self.user)
            return looper.close(collateral // part, shares // part, sender=self.user)

        return self._play(open_loop, close)

    def _play(
        self, open_loop: Callable[[bool], Any], close: Callable[[int], Any]
    ) -> dict[str, int]:
        with self.scene.chain.isolated():
            gas = {"open, mint": self._second(lambda: open_loop(False))}
            self.cheapen()
            gas["open, swap"] = self._second(lambda: open_loop(True))
            close(4)
            self.scene.chain.advance(BLOCK)
            gas["close, half"] = gas_of(close(2))
            self.scene.chain.advance(BLOCK)
            gas["close, whole"] = gas_of(close(1))
            return gas

    def _second(self, act: Callable[[], Any]) -> int:
        act()
        self.scene.chain.advance(BLOCK)
        return gas_of(act())


def router_rows(chain: Chain, code: Code) -> list[Row]:
    """Every row, each with its target."""
    with chain.isolated():
        bench = Bench(chain, code)
        ours, peers = bench.ours(), bench.peers()
    return [
        Row(
            f"router: {what}",
            ours[what],
            peers[what.removesuffix(", rate asked")],
            "Morpho looper",
            target,
        )
        for what, target in TARGETS.items()
    ]
