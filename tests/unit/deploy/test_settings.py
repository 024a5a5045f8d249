"""A network's file is refused whole, with every fault in words, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from relever.deploy.plan import PlanError
from relever.deploy.preflight import check_parts
from relever.deploy.settings import SettingsError, read

CONFIG = Path(__file__).parents[3] / "relever" / "config"
LOCAL = yaml.safe_load((CONFIG / "local.yaml").read_text(encoding="utf-8"))
GOOD: dict[str, Any] = {
    "network": {"chain_id": 5, "testnet": True},
    "base_layer": {"addresses": {"weth": "0xfFf9976782d46CC05630D1f6eBAb18b2324d6B14"}},
    "protocol": LOCAL["protocol"],
    "leveraged": LOCAL["leveraged"],
}


def written(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    document = deepcopy(GOOD)
    change(document)
    path = folder / "network.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def without_unit(document: dict[str, Any]) -> None:
    vault = document["protocol"]["vault"]
    vault["deposit_cap"] = vault.pop("deposit_cap_wei")


def as_text(document: dict[str, Any]) -> None:
    document["protocol"]["vault"]["deposit_cap_wei"] = "100"


def as_fraction(document: dict[str, Any]) -> None:
    document["protocol"]["vault"]["max_exit_fee_wad"] = 0.005


def negative(document: dict[str, Any]) -> None:
    document["protocol"]["market"]["supply_cap_wei"] = -1


def above_one(document: dict[str, Any]) -> None:
    document["protocol"]["vault"]["symbiotic_share_cap_wad"] = 10**18 + 1


def ltv_above_threshold(document: dict[str, Any]) -> None:
    document["protocol"]["market"]["max_ltv_wad"] = 95 * 10**16


def bonus_too_high(document: dict[str, Any]) -> None:
    document["protocol"]["market"]["max_bonus_wad"] = 2 * 10**17


def empty_band(document: dict[str, Any]) -> None:
    document["protocol"]["oracle"]["feed_max_answer_e36"] = 1


def leverage_disordered(document: dict[str, Any]) -> None:
    document["leveraged"]["tokens"]["rLRT3"]["least_leverage_wad"] = 4 * 10**18


def long_symbol(document: dict[str, Any]) -> None:
    document["protocol"]["vault"]["symbol"] = "toolong"


def wrong_case(document: dict[str, Any]) -> None:
    document["base_layer"]["addresses"]["weth"] = "0xfff9976782d46CC05630D1f6eBAb18b2324d6B14"


def zero_address(document: dict[str, Any]) -> None:
    document["base_layer"]["addresses"]["weth"] = "0x" + "00" * 20


def no_quotes(document: dict[str, Any]) -> None:
    document["base_layer"]["addresses"]["weth"] = int(
        "fff9976782d46cc05630d1f6ebab18b2324d6b14", 16
    )


def misspelt(document: dict[str, Any]) -> None:
    addresses = document["base_layer"]["addresses"]
    addresses["wsteht"] = addresses["weth"]


def left_out(document: dict[str, Any]) -> None:
    del document["protocol"]["market"]["min_debt_wei"]


FAULTS: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (without_unit, "protocol.vault.deposit_cap is no known key.*: write deposit_cap_wei"),
    (as_text, "protocol.vault.deposit_cap_wei .*integer"),
    (as_fraction, "protocol.vault.max_exit_fee_wad .*integer"),
    (negative, "protocol.market.supply_cap_wei .*greater"),
    (above_one, "protocol.vault.symbiotic_share_cap_wad .*less"),
    (ltv_above_threshold, "protocol.market: needed is 0 < max_ltv_wad < threshold_wad"),
    (bonus_too_high, "protocol.market: .*max_bonus_wad.* is 1 or more"),
    (empty_band, "protocol.oracle: feed_min_answer_e36 is not below"),
    (leverage_disordered, "leveraged.tokens.rLRT3: floor < least < target"),
    (long_symbol, "protocol.vault.symbol .*at most 5"),
    (wrong_case, "base_layer.addresses.weth .*no address in EIP-55 form"),
    (zero_address, "base_layer.addresses.weth .*zero address"),
    (no_quotes, "base_layer.addresses.weth .*quotes"),
    (misspelt, "base_layer.addresses.wsteht is no known key.*: write wsteth"),
    (left_out, "protocol.market.min_debt_wei is missing: add it"),
]


@pytest.mark.parametrize(("change", "said"), FAULTS, ids=[one.__name__ for one, _ in FAULTS])
def test_read__a_fault__is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        read("", written(tmp_path, change))


def test_read__several_faults__are_all_named(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        without_unit(document)
        negative(document)

    with pytest.raises(SettingsError) as caught:
        read("", written(tmp_path, change))
    words = str(caught.value)
    # The key without its unit, the one that is then missing, and the number.
    assert words.count("\n") == 3
    assert "supply_cap_wei" in words


@pytest.mark.parametrize("text", ["", "- a list", "a: [", "\x00"])
def test_read__no_settings_at_all__says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"network\.yaml"):
        read("", path)


def test_read__no_such_network__names_the_others() -> None:
    with pytest.raises(SettingsError, match="hoodi, local, mainnet, sepolia"):
        read("nowhere")


def test_read__own_values__lie_over_the_shared_ones(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    document = {name: GOOD[name] for name in ("network", "base_layer")}
    document |= {"parameters": "local", "protocol": {"market": {"fee_wad": 7}}}
    path.write_text(yaml.safe_dump(document))
    market = read("", path).protocol.market
    assert market.fee_wad == 7
    assert market.threshold_wad == LOCAL["protocol"]["market"]["threshold_wad"]


@pytest.mark.parametrize("network", ["sepolia", "hoodi"])
def test_check_parts__each_testnet__says_what_it_lacks(network: str) -> None:
    settings = read(network)
    with pytest.raises(PlanError, match=r"symbiotic_vault(.|\n)*--doubles .*: feed"):
        check_parts(settings, network, doubles=False)
    # Doubles are for what there is one for.
    with pytest.raises(PlanError) as caught:
        check_parts(settings, network, doubles=True)
    assert "operator (" in str(caught.value)
    assert "feed (" not in str(caught.value)


def test_check_parts__doubles_for_real_money__are_refused(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["network"]["testnet"] = False

    settings = read("", written(tmp_path, change))
    with pytest.raises(PlanError, match="on testnets only"):
        check_parts(settings, "", doubles=True)
    with pytest.raises(PlanError) as caught:
        check_parts(settings, "", doubles=False)
    assert "--doubles" not in str(caught.value)
