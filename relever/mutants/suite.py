"""Which tests are to notice a mutant of which file: the fast lane, cheapest first.

Whole folders and files, as pytest takes them. Snapshots of gas and code size are left out: any
change at all would fail them.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

# The fuzzer's fast lane, over everything: the dearest, for what nothing else has noticed.
LAST = ("tests/properties/test_fuzz_machine.py",)
_MATHS = (
    "tests/properties/test_health.py",
    "tests/properties/test_interest.py",
    "tests/properties/test_shares.py",
    "tests/properties/test_packing.py",
)
_MARKET = (
    "tests/unit/market",
    "tests/properties/test_market_model.py",
    "tests/properties/test_market_machine.py",
)
_SPLIT = "tests/properties/test_split_liquidation.py"
_FACTORY = "tests/unit/factory"
_ORACLE = ("tests/unit/oracle", "tests/properties/test_oracle_model.py")
_GATE = "tests/properties/test_supply_gate.py"
_FACES = "tests/unit/faces"
_VAULT = ("tests/unit/vault", "tests/properties/test_erc4626.py")
_QUEUE = ("tests/unit/queue", "tests/properties/test_queue_machine.py")
_POCKET = "tests/unit/side_pocket"
_ROUTER, _LIQUIDATOR, _ZAP = "tests/unit/router", "tests/unit/liquidator", "tests/unit/zap"
_ORDERS, _REWARDS, _SWAP = "tests/unit/orders", "tests/unit/rewards", "tests/unit/swap"
_QUOTER = "tests/unit/quoter"
_LEVERAGED = (
    "tests/unit/leveraged",
    "tests/attacks/test_leveraged_token.py",
    "tests/properties/test_leveraged_machine.py",
)
_BACKSTOP = (
    "tests/unit/backstop",
    "tests/properties/test_backstop_erc4626.py",
    "tests/properties/test_backstop_machine.py",
)
# The router at every venue: all three together, at their edges, and what thieves try there.
_VENUES = (
    "tests/integration/test_venues_alone.py",
    "tests/integration/test_venues.py",
    "tests/integration/test_venues_at_the_edge.py",
    "tests/integration/test_deploy_router.py",
    "tests/attacks/test_venue_callbacks.py",
    "tests/attacks/test_helper_incidents.py",
    "tests/attacks/test_reentered_venues.py",
)
_EIGENLAYER = tuple(
    f"tests/unit/adapters/test_eigenlayer_{name}.py"
    for name in ("create", "stake", "start_exit", "finish_exit", "views", "claim_rewards")
)
_SYMBIOTIC = tuple(
    f"tests/unit/adapters/test_symbiotic_{name}.py"
    for name in (
        *("create", "stake", "start_exit", "finish_exit", "views", "value_at_risk"),
        "claim_rewards",
    )
)

# By layer: each contract and module, and its tests.
SUITE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "market": {
        "contracts/modules/health.vy": (*_MATHS, *_MARKET, _SPLIT),
        "contracts/modules/interest.vy": (*_MATHS, *_MARKET),
        "contracts/modules/shares.vy": (*_MATHS, *_MARKET),
        "contracts/modules/packing.vy": (*_MATHS, *_MARKET, _GATE),
        "contracts/modules/totals.vy": _MARKET,
        "contracts/modules/lenders.vy": _MARKET,
        "contracts/modules/positions.vy": _MARKET,
        "contracts/modules/liquidations.vy": (*_MARKET, _SPLIT),
        "contracts/modules/loss_halt.vy": _MARKET,
        "contracts/modules/authorization.vy": _MARKET,
        "contracts/modules/signatures.vy": (*_MARKET, _ORDERS),
        "contracts/modules/share_token.vy": _MARKET,
        "contracts/modules/checks.vy": _MARKET,
        "contracts/modules/token.vy": (*_MARKET, _ZAP, _ROUTER, _LEVERAGED[0]),
        "contracts/market/LendingMarket.vy": (*_MARKET, _FACTORY),
        "contracts/market/MarketFactory.vy": (_FACTORY, *_MARKET),
    },
    "oracle": {
        "contracts/oracle/OracleAdapter.vy": (*_ORACLE, _GATE, _FACES),
        "contracts/oracle/ChainlinkFace.vy": (_FACES,),
        "contracts/oracle/MorphoFace.vy": (_FACES,),
        "contracts/oracle/QuoteFace.vy": (_FACES,),
        "contracts/modules/face.vy": (_FACES,),
        "contracts/modules/feed.vy": (*_ORACLE, _REWARDS),
        "contracts/modules/feed_replacement.vy": _ORACLE,
        "contracts/modules/growth_cap.vy": _ORACLE,
        "contracts/modules/market_feed.vy": _ORACLE,
        "contracts/modules/smoothing.vy": _ORACLE,
        "contracts/modules/explanation.vy": _ORACLE,
        "contracts/modules/supply_gate.vy": (_GATE, *_ORACLE),
    },
    "vault": {
        "contracts/vault/LRTVault.vy": (*_VAULT, *_QUEUE, _POCKET),
        "contracts/vault/SidePocket.vy": (_POCKET, *_VAULT),
        "contracts/modules/exit_fee.vy": (*_VAULT, *_QUEUE),
        "contracts/modules/locked_profit.vy": _VAULT,
        "contracts/modules/performance_fee.vy": _VAULT,
        "contracts/modules/vault_books.vy": (*_VAULT, *_QUEUE, _POCKET),
        "contracts/modules/vault_exits.vy": (*_VAULT, *_QUEUE, _POCKET),
        "contracts/modules/vault_limits.vy": _VAULT,
        "contracts/modules/vault_packing.vy": _VAULT,
        "contracts/modules/vault_shares.vy": (*_VAULT, *_QUEUE, *_ORACLE),
        "contracts/modules/vault_staking.vy": (*_VAULT, *_QUEUE),
    },
    "queue": {
        "contracts/vault/WithdrawalQueue.vy": (*_QUEUE, "tests/unit/vault/test_quarantine.py")
    },
    "adapters": {
        "contracts/adapters/EigenLayerAdapter.vy": (
            *_EIGENLAYER,
            "tests/properties/test_eigenlayer_model.py",
        ),
        "contracts/adapters/SymbioticAdapter.vy": (
            *_SYMBIOTIC,
            "tests/properties/test_symbiotic_model.py",
        ),
    },
    "leverage": {
        "contracts/leverage/LeverageRouter.vy": (_ROUTER, *_VENUES),
        "contracts/leverage/LeveragedToken.vy": _LEVERAGED,
        "contracts/leverage/LeveragedTokenZap.vy": _LEVERAGED[:2],
        "contracts/leverage/Rebalancer.vy": ("tests/unit/rebalancer",),
        "contracts/leverage/Liquidator.vy": (_LIQUIDATOR,),
        "contracts/leverage/BalancerSwap.vy": (_SWAP,),
        "contracts/leverage/UniswapV3Swap.vy": (_SWAP,),
        "contracts/leverage/StopOrders.vy": (_ORDERS,),
        "contracts/modules/best_exit.vy": (_LIQUIDATOR,),
        "contracts/modules/leverage_maths.vy": _LEVERAGED,
        "contracts/modules/leverage_target.vy": _LEVERAGED,
        "contracts/modules/lrt_backing.vy": _LEVERAGED,
        "contracts/modules/management_fee.vy": _LEVERAGED,
        "contracts/modules/rebalance_auction.vy": _LEVERAGED,
        "contracts/modules/rebalance_trade.vy": _LEVERAGED,
        "contracts/modules/uniswap_limits.vy": (_SWAP, _QUOTER),
        "contracts/modules/lrt_entry.vy": (_ZAP, _ROUTER),
        "contracts/modules/lrt_purchase.vy": (_ROUTER,),
        "contracts/modules/router_bounds.vy": (_ROUTER,),
        "contracts/modules/router_markets.vy": (_ROUTER, *_VENUES),
        "contracts/modules/signed_grants.vy": (_ROUTER, *_VENUES),
        "contracts/modules/lrt_exit.vy": (
            *(_ROUTER, _LIQUIDATOR),
            "tests/integration/test_stable_route.py",
        ),
        "contracts/vault/DepositZap.vy": (_ZAP,),
        "contracts/rewards/RewardsSeller.vy": (_REWARDS,),
    },
    "backstop": {
        "contracts/backstop/BackstopPool.vy": _BACKSTOP,
        "contracts/modules/backstop_book.vy": _BACKSTOP,
        "contracts/modules/backstop_line.vy": _BACKSTOP,
        "contracts/modules/backstop_terms.vy": _BACKSTOP,
        "contracts/modules/lst_sale.vy": _BACKSTOP,
    },
    "lens": {
        "contracts/lens/DerivativesLens.vy": ("tests/unit/derivatives_lens",),
        "contracts/lens/Lens.vy": ("tests/unit/lens",),
        "contracts/lens/Outlook.vy": ("tests/unit/outlook", _QUOTER),
        "contracts/lens/Quoter.vy": (_QUOTER,),
        "contracts/modules/carry_forecast.vy": ("tests/unit/outlook",),
        "contracts/modules/exit_time.vy": ("tests/unit/lens", _QUOTER),
        "contracts/modules/oracle_after.vy": (_QUOTER,),
        "contracts/modules/pool_quotes.vy": (_QUOTER,),
        "contracts/modules/position_quote.vy": ("tests/unit/outlook", _QUOTER),
        "contracts/modules/revert_reason.vy": (_QUOTER,),
        "contracts/modules/vault_after.vy": (_QUOTER,),
    },
    "venues": {
        "contracts/venues/MorphoVenue.vy": _VENUES,
        "contracts/venues/AaveVenue.vy": _VENUES,
        "contracts/modules/venue_call.vy": _VENUES,
        "contracts/modules/signature_parts.vy": (*_VENUES, _ROUTER),
    },
    "deploy": {"contracts/deploy/Launcher.vy": ("tests/unit/deploy/test_launcher.py",)},
}

# What the score is promised for.
DEFAULT = ("market", "oracle", "vault", "queue")


class UnknownFile(Exception):
    """A name that is no layer, no contract and no module; says which there are."""


def lane_of(path: str) -> tuple[str, ...]:
    """The tests that are to notice a mutant of this file."""
    layer, tests = next((name, files[path]) for name, files in SUITE.items() if path in files)
    return (*tests, *LAST) if layer in DEFAULT else tests


def layer_of(path: str) -> str:
    """The layer that a file belongs to."""
    return next(layer for layer, files in SUITE.items() if path in files)


def chosen(names: Sequence[str]) -> list[str]:
    """The files meant by layers, paths or bare names of contracts and modules, or by "all".

    Raises `UnknownFile`.
    """
    paths = [path for files in SUITE.values() for path in files]
    found: list[str] = []
    for name in names:
        fits = [
            path
            for path in paths
            if name in ("all", layer_of(path), path, PurePosixPath(path).stem)
            or name == PurePosixPath(path).name
        ]
        if not fits:
            raise UnknownFile(
                f"{name} is neither a layer ({', '.join(SUITE)}, or all) nor a contract or module:"
                " see --list"
            )
        found += fits
    return [path for path in paths if path in found]


def kind_of(test: str) -> str:
    """What sort of test this is, by where it stands."""
    name = test.split("::")[0].rsplit("/", 1)[-1]
    if name.endswith("_machine.py"):
        return "invariant"
    if name.endswith("_model.py"):
        return "model"
    if test.startswith("tests/properties/"):
        return "property"
    if test.startswith("tests/attacks/"):
        return "attack"
    return "unit test"
