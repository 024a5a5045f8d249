"""What the suite is made of: each contract's constructor arguments, and the calls that set it up.

Written once, for the local chain and for networks. What an argument is taken from: the addresses
by name (`book`: of the suite, of what it stands on, and of who holds a role), and the network's
parameters (`relever/config`, each key with its unit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NOBODY = "0x0000000000000000000000000000000000000000"
# What the constructors of vault and backstop take from their seeder, in the asset's unit.
SEED = 10**15
# ERC-5202: code that is a blueprint begins with these bytes.
_BLUEPRINT_PREAMBLE = bytes.fromhex("fe7100")

# The vault's adapters, in the order in which it lists them.
ADAPTERS = ("eigenlayer", "symbiotic")
# Each contract of the suite by its name here.
CONTRACTS = {
    "vault": "LRTVault",
    "queue": "WithdrawalQueue",
    "side_pocket": "SidePocket",
    "zap": "DepositZap",
    "seller": "RewardsSeller",
    "eigenlayer": "EigenLayerAdapter",
    "symbiotic": "SymbioticAdapter",
    "oracle": "OracleAdapter",
    "factory": "MarketFactory",
    "market": "LendingMarket",
    "swap": "UniswapV3Swap",
    "router": "LeverageRouter",
    "backstop": "BackstopPool",
    "liquidator": "Liquidator",
    "orders": "StopOrders",
    "lens": "Lens",
    "quoter": "Quoter",
    "outlook": "Outlook",
}
# What serves the leveraged tokens, all with the same arguments.
TOKEN_SERVANTS = {"leveraged_zap": "LeveragedTokenZap", "rebalancer": "Rebalancer"}
# As the parameters name what `ILeveragedToken.Terms` has, in its order; the fee's receiver follows.
TOKEN_TERMS = (
    "target_leverage_wad",
    "least_leverage_wad",
    "most_leverage_wad",
    "danger_leverage_wad",
    "floor_leverage_wad",
    "step_leverage_wad",
    "period_seconds",
    "start_discount_wad",
    "max_pay_wad",
    "danger_pay_wad",
    "duration_seconds",
    "max_loss_wad",
    "danger_loss_wad",
    "cooldown_seconds",
    "yearly_fee_wad",
)
# As they name what `OracleAdapter.Parameters` has, in its order.
_ORACLE_PARAMETERS = (
    "feed_max_age_seconds",
    "feed_min_answer_e36",
    "feed_max_answer_e36",
    "feed_agreement_wad",
    "feed_band_wad",
    "sequencer_grace_seconds",
    "max_growth_per_year_wad",
    "discount_speed_per_second_wad",
    "discount_max_gap_seconds",
    "deep_discount_wad",
    "lasting_discount_seconds",
    "supply_gate_floor_wei",
    "supply_gate_share_wad",
    "supply_gate_window_seconds",
)
# As they name the numbers in `ILendingMarket.Terms`, in its order.
_MARKET_TERMS = (
    "max_ltv_wad",
    "threshold_wad",
    "target_health_wad",
    "base_bonus_wad",
    "max_bonus_wad",
    "min_debt_wei",
    "deleverage_share_wad",
)

Book = Mapping[str, str]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class SetUp:
    """One call that a contract's owner makes: `target` is a name in the book."""

    target: str
    function: str
    arguments: tuple[Any, ...]


def market_terms(book: Book, settings: Settings) -> tuple[Any, ...]:
    """`ILendingMarket.Terms`; `settings` is the parameters' section `protocol`."""
    numbers = (settings["market"][key] for key in _MARKET_TERMS)
    return (book["weth"], book["vault"], book["oracle"], *numbers)


def token_terms(book: Book, terms: Settings) -> tuple[Any, ...]:
    """`ILeveragedToken.Terms`; `terms` is a token's part of the section `leveraged`."""
    return (*(terms[key] for key in TOKEN_TERMS), book["treasury"])


def arguments(name: str, book: Book, settings: Settings) -> tuple[Any, ...]:
    """The constructor's arguments of one of `CONTRACTS`, but of the market, made by its factory.

    Args:
        name: of the contract.
        book: every address that they name.
        settings: the parameters' section `protocol`.
    """
    return _ARGUMENTS[name](book, settings)


def _path(book: Book) -> tuple[Any, ...]:
    """What brings one from ether into the LRT and back: no stable swap."""
    places = (book[name] for name in ("factory", "vault", "wsteth", "weth", "swap"))
    return (*places, NOBODY)


_ARGUMENTS: dict[str, Callable[[Book, Settings], tuple[Any, ...]]] = {
    "vault": lambda book, settings: (
        book["wsteth"],
        settings["vault"]["name"],
        settings["vault"]["symbol"],
        book["allocator"],
        book["guardian"],
        settings["vault"]["unlock_period_seconds"],
        settings["vault"]["deposit_cap_wei"],
        book["seeder"],
    ),
    "queue": lambda book, settings: (
        book["vault"],
        settings["vault"]["queue_patience_seconds"],
        settings["vault"]["queue_wait_seconds"],
    ),
    "side_pocket": lambda book, _: (book["vault"],),
    "zap": lambda book, _: (book["vault"], book["wsteth"], book["weth"]),
    "seller": lambda book, _: (book["vault"], book["weth"], book["swap"], book["guardian"]),
    "eigenlayer": lambda book, _: (
        book["vault"],
        book["wsteth_strategy"],
        book["delegation_manager"],
        book["strategy_manager"],
        book["operator"],
        book["rewards_coordinator"],
        book["seller"],
    ),
    "symbiotic": lambda book, _: (
        book["vault"],
        book["symbiotic_vault"],
        book["symbiotic_rewards"],
        book["seller"],
    ),
    "oracle": lambda book, settings: (
        book["vault"],
        book["wsteth"],
        book["feed"],
        # The sequencer's uptime feed: there is none on an L1.
        NOBODY,
        tuple(settings["oracle"][key] for key in _ORACLE_PARAMETERS),
    ),
    "factory": lambda book, _: (book["blueprint"], book["guardian"]),
    "swap": lambda book, _: ([book["lrt_pool"], book["lst_pool"]],),
    "router": lambda book, _: (*_path(book), []),
    "backstop": lambda book, settings: (
        book["vault"],
        book["weth"],
        book["factory"],
        book["swap"],
        book["liquidator"],
        settings["backstop"]["name"],
        settings["backstop"]["symbol"],
        settings["backstop"]["discount_wad"],
        settings["backstop"]["sale_loss_wad"],
        settings["backstop"]["unlock_period_seconds"],
        book["seeder"],
    ),
    "liquidator": lambda book, _: (*_path(book), book["backstop"]),
    "orders": lambda book, _: _path(book),
    "lens": lambda book, _: (),
    "quoter": lambda book, _: (book["router"],),
    "outlook": lambda book, _: (),
}


def token_arguments(symbol: str, book: Book, terms: Settings) -> tuple[Any, ...]:
    """The constructor's arguments of the leveraged token `symbol`."""
    fixed = token_terms(book, terms)
    return (book["market"], terms["name"], symbol, fixed, terms["seed_wei"])


def servant_arguments(book: Book, tokens: list[str]) -> tuple[Any, ...]:
    """The constructor's arguments of `TOKEN_SERVANTS`; `tokens` are the tokens' addresses."""
    return (*_path(book)[1:], tokens)


def set_exits(book: Book) -> list[SetUp]:
    """Queue and side pocket, once there are both."""
    return [SetUp("vault", "set_exits", (book["queue"], book["side_pocket"]))]


def set_rewards(book: Book, settings: Settings) -> list[SetUp]:
    """WETH can be sold from the start; other reward tokens take a feed and a pool."""
    terms = (NOBODY, 0, settings["rewards"]["max_discount_wad"], NOBODY)
    return [SetUp("seller", "set_terms", (book["weth"], terms))]


def set_vault_terms(book: Book, settings: Settings, adapters: tuple[str, ...]) -> list[SetUp]:
    """List the adapters, and set what the vault charges."""
    terms = settings["vault"]
    listed = [
        SetUp(
            "vault",
            "add_adapter",
            (book[name], terms[f"{name}_cap_wei"], terms[f"{name}_share_cap_wad"]),
        )
        for name in adapters
    ]
    fee = (terms["exit_buffer_wei"], terms["max_exit_fee_wad"])
    return [
        *listed,
        SetUp("vault", "set_exit_fee", fee),
        SetUp("vault", "set_performance_fee", (terms["performance_fee_wad"], book["treasury"])),
    ]


def create_market(book: Book, settings: Settings) -> SetUp:
    """Anyone may make a market; the first of a factory is ours."""
    market = settings["market"]
    terms = market_terms(book, settings)
    return SetUp("factory", "create_market", (terms, market["name"], market["symbol"]))


def open_market(book: Book, settings: Settings) -> list[SetUp]:
    """Caps and listing."""
    market = settings["market"]
    caps = (market["supply_cap_wei"], market["borrow_cap_wei"], market["fee_wad"])
    return [
        SetUp("market", "set_caps", (caps,)),
        SetUp("factory", "list_market", (book["market"],)),
    ]


def blueprint_code(market_code: bytes) -> bytes:
    """Creation code of an ERC-5202 blueprint of the market."""
    code = _BLUEPRINT_PREAMBLE + market_code
    # PUSH2 length, RETURNDATASIZE, DUP2, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURN.
    loader = bytes.fromhex("61") + len(code).to_bytes(2, "big") + bytes.fromhex("3d81600a3d39f3")
    return loader + code
