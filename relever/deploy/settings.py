"""A network's file, checked: every key known, with its unit, in its range, every address in EIP-55.

With `parameters: local` the parameters come from `local.yaml`, so that a testnet has what the tests
have been through, and names only its addresses and roles, and what it has otherwise.
"""

from __future__ import annotations

from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import yaml
from eth_utils.address import is_checksum_address
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from relever.deploy.suite import NOBODY

_FOLDER = Path(__file__).resolve().parents[1] / "config"
WAD = 10**18
E36 = 10**36
YEAR = 31_536_000
# How like a key a word must be to be taken for it.
_NEAR = 0.8
UNITS = ("_wei", "_wad", "_e36", "_seconds", "_blocks", "_millionths")


class SettingsError(Exception):
    """A network's file cannot be used; says every reason, and what to do."""


# Stands for the account that deploys, where a role's address is asked for.
DEPLOYER = "deployer"


def _checked(address: str) -> str:
    if not is_checksum_address(address):
        raise ValueError("is no address in EIP-55 form")
    if address == NOBODY:
        raise ValueError("is the zero address")
    return address


def _role(holder: str) -> str:
    return holder if holder == DEPLOYER else _checked(holder)


Address = Annotated[str, AfterValidator(_checked)]
Holder = Annotated[str, AfterValidator(_role)]
Amount = Annotated[int, Field(strict=True, ge=0, lt=2**112)]
Positive = Annotated[int, Field(strict=True, gt=0, lt=2**112)]
Share = Annotated[int, Field(strict=True, ge=0, le=WAD)]
Period = Annotated[int, Field(strict=True, ge=1, le=YEAR)]
Wait = Annotated[int, Field(strict=True, ge=0, le=YEAR)]
Price = Annotated[int, Field(strict=True, gt=0, lt=2**140)]
Leverage = Annotated[int, Field(strict=True, ge=WAD, le=100 * WAD)]
# The widths of the contracts' strings.
Name = Annotated[str, StringConstraints(min_length=1, max_length=25)]
Symbol = Annotated[str, StringConstraints(min_length=1, max_length=5)]
LongName = Annotated[str, StringConstraints(min_length=1, max_length=32)]
LongSymbol = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Vault(_Section):
    name: Name
    symbol: Symbol
    unlock_period_seconds: Period
    deposit_cap_wei: Positive
    eigenlayer_cap_wei: Amount
    eigenlayer_share_cap_wad: Share
    symbiotic_cap_wei: Amount
    symbiotic_share_cap_wad: Share
    exit_buffer_wei: Amount
    max_exit_fee_wad: Share
    performance_fee_wad: Annotated[int, Field(strict=True, ge=0, le=2 * 10**17)]
    queue_patience_seconds: Wait
    queue_wait_seconds: Wait


class Rewards(_Section):
    max_discount_wad: Share


class Oracle(_Section):
    feed_max_age_seconds: Period
    feed_min_answer_e36: Price
    feed_max_answer_e36: Price
    feed_agreement_wad: Share
    feed_band_wad: Share
    sequencer_grace_seconds: Wait
    max_growth_per_year_wad: Share
    discount_speed_per_second_wad: Share
    discount_max_gap_seconds: Period
    deep_discount_wad: Share
    lasting_discount_seconds: Period
    supply_gate_floor_wei: Amount
    supply_gate_share_wad: Share
    supply_gate_window_seconds: Period

    @model_validator(mode="after")
    def _band(self) -> Oracle:
        if self.feed_min_answer_e36 >= self.feed_max_answer_e36:
            raise ValueError("feed_min_answer_e36 is not below feed_max_answer_e36")
        return self


class Market(_Section):
    name: LongName
    symbol: LongSymbol
    max_ltv_wad: Share
    threshold_wad: Share
    target_health_wad: Annotated[int, Field(strict=True, gt=WAD, lt=2 * WAD)]
    base_bonus_wad: Share
    max_bonus_wad: Share
    min_debt_wei: Positive
    deleverage_share_wad: Annotated[int, Field(strict=True, gt=0, lt=WAD)]
    supply_cap_wei: Positive
    borrow_cap_wei: Positive
    fee_wad: Share

    @model_validator(mode="after")
    def _possible(self) -> Market:
        """As the factory demands it, and said before anything is paid for."""
        if not 0 < self.max_ltv_wad < self.threshold_wad < WAD:
            raise ValueError("needed is 0 < max_ltv_wad < threshold_wad < 1e18")
        if self.base_bonus_wad > self.max_bonus_wad:
            raise ValueError("base_bonus_wad is above max_bonus_wad")
        paid = (WAD + self.max_bonus_wad) * self.threshold_wad
        if paid >= WAD * WAD:
            raise ValueError("(1 + max_bonus_wad) * threshold_wad is 1 or more")
        if self.borrow_cap_wei > self.supply_cap_wei:
            raise ValueError("borrow_cap_wei is above supply_cap_wei")
        return self


class Backstop(_Section):
    name: Name
    symbol: Symbol
    discount_wad: Share
    sale_loss_wad: Share
    unlock_period_seconds: Period


class Protocol(_Section):
    vault: Vault
    rewards: Rewards
    oracle: Oracle
    market: Market
    backstop: Backstop


class Token(_Section):
    name: Name
    seed_wei: Positive
    target_leverage_wad: Leverage
    least_leverage_wad: Leverage
    most_leverage_wad: Leverage
    danger_leverage_wad: Leverage
    floor_leverage_wad: Leverage
    step_leverage_wad: Positive
    period_seconds: Period
    start_discount_wad: Share
    max_pay_wad: Share
    danger_pay_wad: Share
    duration_seconds: Period
    max_loss_wad: Share
    danger_loss_wad: Share
    cooldown_seconds: Wait
    yearly_fee_wad: Share

    @model_validator(mode="after")
    def _ordered(self) -> Token:
        ordered = (
            self.floor_leverage_wad,
            self.least_leverage_wad,
            self.target_leverage_wad,
            self.most_leverage_wad,
            self.danger_leverage_wad,
        )
        if not all(lower < higher for lower, higher in pairwise(ordered)):
            raise ValueError("floor < least < target < most < danger does not hold of *_leverage")
        return self


class Leveraged(_Section):
    lent_wei: Positive
    tokens: Annotated[dict[Symbol, Token], Field(max_length=8)]


class Roles(_Section):
    """Who holds what in the end; `deployer` for the account that deploys."""

    owner: Holder = DEPLOYER
    guardian: Holder = DEPLOYER
    allocator: Holder = DEPLOYER
    treasury: Holder = DEPLOYER


class Chain(_Section):
    """The network itself.

    Attributes:
        salt: another one gives a second deployment of the same account, at other addresses.
        confirmations_blocks: how deep a transaction lies before it counts as done for ever.
    """

    chain_id: Annotated[int, Field(strict=True, gt=0)]
    testnet: Annotated[bool, Field(strict=True)]
    salt: str = "relever"
    confirmations_blocks: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 12
    lrt_pool_fee_millionths: Annotated[int, Field(strict=True, gt=0, lt=1_000_000)] = 100
    roles: Roles = Roles()


class Places(_Section):
    """What the suite stands on, and beside it what only forks need. None: not there, or unknown."""

    weth: Address | None = None
    steth: Address | None = None
    wsteth: Address | None = None
    delegation_manager: Address | None = None
    strategy_manager: Address | None = None
    allocation_manager: Address | None = None
    permission_controller: Address | None = None
    rewards_coordinator: Address | None = None
    strategy_factory: Address | None = None
    wsteth_strategy: Address | None = None
    operator: Address | None = None
    symbiotic_vault: Address | None = None
    symbiotic_rewards: Address | None = None
    symbiotic_vault_factory: Address | None = None
    symbiotic_vault_configurator: Address | None = None
    symbiotic_network_registry: Address | None = None
    symbiotic_operator_registry: Address | None = None
    symbiotic_operator_vault_opt_in: Address | None = None
    symbiotic_operator_network_opt_in: Address | None = None
    symbiotic_network_middleware: Address | None = None
    symbiotic_staker_rewards_factory: Address | None = None
    uniswap_factory: Address | None = None
    position_manager: Address | None = None
    swap_router: Address | None = None
    lst_pool: Address | None = None
    feed: Address | None = None


class BaseLayer(_Section):
    addresses: Places


class Settings(_Section):
    """Everything that a deployment depends on, but the account."""

    network: Chain
    base_layer: BaseLayer
    protocol: Protocol
    leveraged: Leveraged

    def text(self) -> dict[str, Any]:
        """As it is kept in the record."""
        return self.model_dump()


def read(network: str, file: Path | None = None) -> Settings:
    """The settings of a network in `relever/config`, or in a file.

    Raises:
        SettingsError: there is no file, or it is wrong; every fault is named.
    """
    path = file or _FOLDER / f"{network}.yaml"
    document = _document(path)
    source = document.pop("parameters", None)
    if source is not None:
        shared = _document(_FOLDER / f"{source}.yaml")
        for name in ("protocol", "leveraged"):
            document[name] = _laid_over(shared.get(name), document.get(name))
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        faults = "\n".join(f"  {_fault(one)}" for one in error.errors())
        raise SettingsError(f"{path} cannot be used:\n{faults}") from None


def _laid_over(below: Any, above: Any) -> Any:
    """Nested settings with those that are given in the place of the others."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return below if above is None else above
    return {key: _laid_over(below.get(key), above.get(key)) for key in {**below, **above}}


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(one.stem for one in _FOLDER.glob("*.yaml")))
        raise SettingsError(f"there is no {path}: choose one of {known}, or give a file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{path} has no sections: is it a network's file?")
    return document


def _fault(error: Any) -> str:
    """One of pydantic's faults as a sentence."""
    path = [str(part) for part in error["loc"]]
    where = ".".join(path)
    if error["type"] == "extra_forbidden":
        near = [f"{path[-1]}{unit}" for unit in UNITS if f"{path[-1]}{unit}" in _keys()]
        near = near or get_close_matches(path[-1], _keys(), 1, _NEAR)
        hint = f": write {near[0]}" if near else ""
        return f"{where} is no known key, each of which ends with its unit{hint}"
    if error["type"] == "missing":
        return f"{where} is missing: add it"
    if error["type"] == "string_type" and isinstance(error["input"], int):
        return f"{where} is a number: put it in quotes"
    message = error["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(error["input"], dict) else f" ({error['input']!r:.80})"
    return f"{where}{shown}: {message[0].lower()}{message[1:]}"


def _keys() -> set[str]:
    sections = (Vault, Rewards, Oracle, Market, Backstop, Token, Leveraged, Chain, Places, Roles)
    return {key for one in sections for key in one.model_fields}
