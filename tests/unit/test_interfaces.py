"""Every contract has what its interfaces promise: Vyper's `implements` lets some of it slip."""

import re
from pathlib import Path
from typing import Any

import pytest
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

from relever.artifacts import ROOT, artifact

CONTRACTS = ROOT / "contracts"
INTERFACES = {path.stem: path for path in sorted((CONTRACTS / "interfaces").glob("I*.vyi"))}
STANDARDS = {
    "IERC20": {
        "totalSupply()": "uint256",
        "balanceOf(address)": "uint256",
        "allowance(address,address)": "uint256",
        "transfer(address,uint256)": "bool",
        "transferFrom(address,address,uint256)": "bool",
        "approve(address,uint256)": "bool",
    },
    "IERC20Detailed": {"name()": "string", "symbol()": "string", "decimals()": "uint8"},
    "IERC20Permit": {
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": "",
        "nonces(address)": "uint256",
        "DOMAIN_SEPARATOR()": "bytes32",
    },
    "IERC4626": {
        "asset()": "address",
        "totalAssets()": "uint256",
        "convertToShares(uint256)": "uint256",
        "convertToAssets(uint256)": "uint256",
        "maxDeposit(address)": "uint256",
        "maxMint(address)": "uint256",
        "maxWithdraw(address)": "uint256",
        "maxRedeem(address)": "uint256",
        "previewDeposit(uint256)": "uint256",
        "previewMint(uint256)": "uint256",
        "previewWithdraw(uint256)": "uint256",
        "previewRedeem(uint256)": "uint256",
        "deposit(uint256,address)": "uint256",
        "mint(uint256,address)": "uint256",
        "withdraw(uint256,address,address)": "uint256",
        "redeem(uint256,address,address)": "uint256",
    },
    "IERC3156": {
        "maxFlashLoan(address)": "uint256",
        "flashFee(address,uint256)": "uint256",
        "flashLoan(address,address,uint256,bytes)": "bool",
    },
}
ERC4626_EVENTS = {
    "Deposit": [
        ("sender", "address", True),
        ("owner", "address", True),
        ("assets", "uint256", False),
        ("shares", "uint256", False),
    ],
    "Withdraw": [
        ("sender", "address", True),
        ("receiver", "address", True),
        ("owner", "address", True),
        ("assets", "uint256", False),
        ("shares", "uint256", False),
    ],
}
# What the shares of vault, market and backstop are, beside what the two declare.
SHARES = ("IERC20", "IERC20Detailed", "IERC4626")
KEPT_STANDARDS = [
    *(("LRTVault", standard) for standard in (*SHARES, "IERC20Permit")),
    *(("BackstopPool", standard) for standard in (*SHARES, "IERC20Permit")),
    *(("LendingMarket", standard) for standard in (*SHARES, "IERC3156")),
    *(("LeveragedToken", standard) for standard in ("IERC20", "IERC20Detailed", "IERC20Permit")),
]


def declared() -> list[tuple[str, str]]:
    """Every contract with each of our interfaces that it says it implements."""
    pairs = []
    for path in sorted(CONTRACTS.rglob("*.vy")):
        for name in re.findall(r"^implements: (\w+)$", path.read_text(), re.MULTILINE):
            if path.stem[0].isupper() and name in INTERFACES:
                pairs.append((path.stem, name))
    return pairs


def interface_abi(path: Path) -> list[dict[str, Any]]:
    bundle = FilesystemInputBundle([CONTRACTS])
    file = bundle.load_file(path)
    abi: list[dict[str, Any]] = compile_from_file_input(
        file, input_bundle=bundle, output_formats=["abi"]
    )["abi"]
    return abi


def kind(entry: dict[str, Any]) -> str:
    """An ABI type with its structs written out."""
    if entry["type"].startswith("tuple"):
        return f"({','.join(map(kind, entry['components']))}){entry['type'][5:]}"
    return str(entry["type"])


def functions(abi: list[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
    """By signature: what it returns and whether it leaves the state alone."""
    return {
        f"{entry['name']}({','.join(map(kind, entry['inputs']))})": (
            ",".join(map(kind, entry["outputs"])),
            entry["stateMutability"] in ("view", "pure"),
        )
        for entry in abi
        if entry["type"] == "function"
    }


def events(abi: list[dict[str, Any]]) -> dict[str, list[tuple[str, str, bool]]]:
    return {
        entry["name"]: [(part["name"], kind(part), part["indexed"]) for part in entry["inputs"]]
        for entry in abi
        if entry["type"] == "event"
    }


def test_declared__contracts__are_found() -> None:
    assert set(declared()) >= {
        ("LRTVault", "ILRTVault"),
        ("WithdrawalQueue", "IWithdrawalQueue"),
        ("DepositZap", "IDepositZap"),
        ("EigenLayerAdapter", "IStakingAdapter"),
        ("OracleAdapter", "IOracleAdapter"),
        ("LendingMarket", "ILendingMarket"),
        ("MarketFactory", "IMarketFactory"),
        ("LeverageRouter", "ILeverageRouter"),
        ("LeverageRouter", "IAdjustCallback"),
        ("LeveragedToken", "ILeveragedToken"),
        ("LeveragedToken", "IAdjustCallback"),
        ("LeveragedTokenZap", "ILeveragedTokenZap"),
        ("LeveragedTokenZap", "ILeveragedCallback"),
        ("Rebalancer", "IRebalancer"),
        ("Rebalancer", "ILeveragedCallback"),
        ("DerivativesLens", "IDerivativesLens"),
        ("MorphoVenue", "IVenue"),
        ("MorphoVenue", "IForeignVenue"),
        ("AaveVenue", "IVenue"),
        ("AaveVenue", "IForeignVenue"),
        ("AaveVenue", "IFlashBorrower"),
        ("AaveVenue", "IMarketPrice"),
        ("Liquidator", "ILiquidator"),
        ("Liquidator", "ILiquidateCallback"),
        ("BackstopPool", "IBackstopPool"),
        ("UniswapV3Swap", "ISwap"),
        ("BalancerSwap", "ISwap"),
    }


@pytest.mark.parametrize(("contract", "name"), declared())
def test_contract__its_interface__is_covered(contract: str, name: str) -> None:
    promised, had = interface_abi(INTERFACES[name]), artifact(contract).abi
    have = functions(had)
    missing = {
        signature: (promise, have.get(signature))
        for signature, promise in functions(promised).items()
        if have.get(signature) != promise
    }
    assert missing == {}
    emitted = events(had)
    differing = {
        event: (parts, emitted.get(event))
        for event, parts in events(promised).items()
        if emitted.get(event) != parts
    }
    assert differing == {}


@pytest.mark.parametrize(("contract", "standard"), KEPT_STANDARDS)
def test_contract__standard__is_covered(contract: str, standard: str) -> None:
    have = functions(artifact(contract).abi)
    expected = STANDARDS[standard]
    assert {signature: have.get(signature, ("missing",))[0] for signature in expected} == expected


@pytest.mark.parametrize("contract", ["LRTVault", "LendingMarket", "BackstopPool"])
def test_contract__shares__log_what_the_standard_names(contract: str) -> None:
    emitted = events(artifact(contract).abi)
    assert {name: emitted.get(name) for name in ERC4626_EVENTS} == ERC4626_EVENTS


@pytest.mark.parametrize("contract", ["LRTVault", "BackstopPool"])
def test_contract__abi__mints_and_burns_for_assets_only(contract: str) -> None:
    had = functions(artifact(contract).abi)
    names = {signature.partition("(")[0] for signature in had}
    assert names.isdisjoint({"burn", "burn_from", "set_minter", "is_minter", "renounce_ownership"})
    assert "mint(address,uint256)" not in had
