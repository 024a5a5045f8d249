"""What happens around the keepers at each block: fees, a slash, a feed, and who trades on it."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence

from bench.keepers.stage import Stage
from relever.baselayer.uniswap import sqrt_price_x96
from relever.chain import Call
from relever.protocol import NOBODY, WAD
from relever.risk import Moment

GWEI = 10**9
# Wei per gas: from a quiet night to a busy hour, a step of an eighth at most from block to block.
_LEAST_BASE_FEE, _MOST_BASE_FEE = GWEI // 2, 12 * GWEI
# Those outside pay any fee.
_ANY_FEE = 1_000 * GWEI
# Who trades the pool back leaves what its fee would eat, in WAD.
_IDLE_BAND = 2 * WAD // 10_000


class Weather:
    """Acts once for each block, so that it is mined in the next.

    Fair is what backs the LRT now, slashes included, less the discount of the moment; the feed says
    so when it changes, and arbitrageurs trade the pool to it as far as their inventory goes.
    """

    def __init__(
        self,
        stage: Stage,
        path: Sequence[Moment],
        *,
        slash: int,
        slash_block: int,
        path_time: int,
        seed: int,
    ) -> None:
        """
        Args:
            path: seconds and discounts.
            slash: of the operator's stake, WAD.
            slash_block: when the AVS slashes.
            path_time: the chain's second at which the path is at its first moment.
        """
        self._stage, self._path = stage, path
        self._slash, self._slash_block, self._path_time = slash, slash_block, path_time
        self._times = [moment.seconds for moment in path]
        self._chance = random.Random(seed)
        self._base_fee = 2 * GWEI
        self._answer = 0
        scene = stage.scene
        self._round: int = scene.feed.aggregator.latestRound()
        self._pool = scene.lrt_pool.contract
        self._lrt_first = int(scene.protocol.vault.address, 16) < int(
            scene.world.core.weth.address, 16
        )

    def discount(self, time: int) -> int:
        """What the feed's last answer before a second leaves off, WAD."""
        at = bisect_right(self._times, time - self._path_time) - 1
        return self._path[at].discount if at >= 0 else 0

    def act(self, block: int, next_time: int) -> None:
        """After a block was mined.

        Args:
            block: its number.
            next_time: the second of the next.
        """
        self._stage.chain.rpc("anvil_setNextBlockBaseFeePerGas", [hex(self._next_base_fee())])
        if block == self._slash_block:
            self._send(self._slashing())
        fair = self._fair(next_time)
        if fair != self._answer:
            self._answer, self._round = fair, self._round + 1
            feed = self._stage.scene.feed
            self._send(feed.aggregator.submit.build(self._round, fair, sender=feed.oracle))
        self._trade(fair)

    def _next_base_fee(self) -> int:
        change = self._chance.randrange(-1_000, 1_001)
        fee = self._base_fee + self._base_fee * change // 8_000
        self._base_fee = min(max(fee, _LEAST_BASE_FEE), _MOST_BASE_FEE)
        return self._base_fee

    def _fair(self, time: int) -> int:
        """In units of 1e-18 WETH per LRT."""
        scene = self._stage.scene
        rate = scene.protocol.vault.live_rate()
        backing: int = rate * scene.world.core.wsteth.stEthPerToken() // WAD
        return backing * (WAD - self.discount(time)) // WAD

    def _slashing(self) -> Call:
        world = self._stage.scene.world
        strategies = [world.core.wsteth_strategy.address]
        avs, number = world.operator_set
        what = (world.roles.operator, number, strategies, [self._slash], "misbehaved")
        call: Call = world.core.allocation_manager.slashOperator.build(avs, what, sender=avs)
        return call

    def _trade(self, fair: int) -> None:
        target = sqrt_price_x96(fair, base_is_token0=self._lrt_first)
        now: int = self._pool.slot0()[0]
        if abs(now - target) * 2 * WAD <= target * _IDLE_BAND:
            return
        scene, trader = self._stage.scene, self._stage.arbitrageur
        lrt, weth = scene.protocol.vault, scene.world.core.weth
        sells_first = now > target
        token_in, token_out = (lrt, weth) if sells_first == self._lrt_first else (weth, lrt)
        amount = token_in.balanceOf(trader)
        if amount == 0:
            return
        fee = scene.lrt_pool.fee_millionths
        order = (token_in.address, token_out.address, fee, trader, 2**255, amount, 0, target)
        router = scene.world.core.swap_router
        self._send(router.exactInputSingle.build(order, sender=trader))

    def _send(self, call: Call) -> None:
        self._stage.chain.rpc(
            "eth_sendTransaction",
            [
                {
                    "from": call.sender,
                    "to": call.to or NOBODY,
                    "data": "0x" + call.data.hex(),
                    "gas": hex(5_000_000),
                    "maxFeePerGas": hex(_ANY_FEE),
                    "maxPriorityFeePerGas": hex(GWEI),
                }
            ],
        )
