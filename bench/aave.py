"""Aave v3.2 as a venue: the code of its releases, from the wheel of web3-ethereum-defi.

One pool with two reserves, its proxies and libraries; no rewards controller, no caps. The loan
token is the base currency of Aave's oracle, which spares it a feed. Bad debt it does not write off.
"""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode

from bench.venues import THRESHOLD, Tokens, Venue, gas_of
from relever.artifacts import Artifact, artifact_from_json
from relever.chain import Chain, Contract
from relever.parts import wheel_json
from relever.protocol import NOBODY, UNLIMITED, WAD

_PART = "web3-ethereum-defi"
_FOLDER = "eth_defi/abi/aave_v3"
_VARIABLE_RATE = 2
_NO_REFERRAL = 0
_WAD_PER_BASIS_POINT = 10**14
_LTV = 91 * WAD // 100
_BONUS = WAD // 100
# Optimal use, base rate and the two slopes, in basis points: those usual for WETH.
_RATES = (9_000, 0, 270, 8_000)
# Aave lets a liquidator repay more than half only from here, with health below 0.95.
_CLOSE_ALL_PRICE = 866 * WAD // 1000


class Aave(Venue):
    """A pool of the two tokens."""

    name = "Aave v3.2"

    def __init__(self, tokens: Tokens, fee_wad: int) -> None:
        super().__init__(tokens, deploy_pool(tokens, fee_wad))

    def lend(self, user: str, amount: int) -> int:
        return self._supply(self.tokens.loan, user, amount)

    def withdraw(self, user: str, amount: int) -> int:
        return self._withdraw(self.tokens.loan, user, amount)

    def supply_collateral(self, user: str, amount: int) -> int:
        return self._supply(self.tokens.collateral, user, amount)

    def withdraw_collateral(self, user: str, amount: int) -> int:
        return self._withdraw(self.tokens.collateral, user, amount)

    def borrow(self, user: str, amount: int) -> int:
        kind = _VARIABLE_RATE, _NO_REFERRAL
        loan = self.tokens.loan.address
        return gas_of(self.entry.borrow(loan, amount, *kind, user, sender=user))

    def repay(self, user: str, amount: int) -> int:
        loan = self.tokens.loan.address
        return gas_of(self.entry.repay(loan, amount, _VARIABLE_RATE, user, sender=user))

    def repay_all(self, user: str) -> int:
        return self.repay(user, UNLIMITED)

    def liquidate(self, liquidator: str, borrower: str, repaid: int) -> int:
        places = self.tokens.collateral.address, self.tokens.loan.address
        no_receipt_token = False
        return gas_of(
            self.entry.liquidationCall(
                *places, borrower, repaid, no_receipt_token, sender=liquidator
            )
        )

    def liquidate_debt(self, liquidator: str, borrower: str) -> int:
        self.tokens.set_price(_CLOSE_ALL_PRICE)
        return self.liquidate(liquidator, borrower, UNLIMITED)

    def liquidate_collateral(self, liquidator: str, borrower: str) -> None:
        return None

    def flash_loan(self, user: str, amount: int) -> int:
        places = self.entry.address, self.tokens.loan.address
        return gas_of(self._looper.borrow_aave(*places, amount, sender=user))

    def _supply(self, token: Contract, user: str, amount: int) -> int:
        return gas_of(self.entry.supply(token.address, amount, user, _NO_REFERRAL, sender=user))

    def _withdraw(self, token: Contract, user: str, amount: int) -> int:
        return gas_of(self.entry.withdraw(token.address, amount, user, sender=user))


def deploy_pool(tokens: Tokens, fee_wad: int) -> Contract:
    """A pool of the two tokens, which says how much of the loan's interest it keeps."""
    chain, owner = tokens.chain, tokens.owner
    provider = chain.deploy(_part("PoolAddressesProvider"), "bench", owner, sender=owner)
    provider.setACLAdmin(owner, sender=owner)
    access = chain.deploy(_part("ACLManager"), provider.address, sender=owner)
    provider.setACLManager(access.address, sender=owner)
    access.addPoolAdmin(owner, sender=owner)
    provider.setPriceOracle(_deploy_oracle(tokens, provider).address, sender=owner)

    libraries = _deploy_libraries(chain, owner)
    pool_code = chain.deploy(_part("PoolInstance", libraries), provider.address, sender=owner)
    provider.setPoolImpl(pool_code.address, sender=owner)
    pool = chain.contract(provider.getPool(), _part("PoolInstance", libraries))
    configurator_code = chain.deploy(_part("PoolConfiguratorInstance", libraries), sender=owner)
    provider.setPoolConfiguratorImpl(configurator_code.address, sender=owner)
    configurator = chain.contract(
        provider.getPoolConfigurator(), _part("PoolConfiguratorInstance", libraries)
    )

    _list_reserves(tokens, provider, pool, configurator)
    loan, collateral = tokens.loan.address, tokens.collateral.address
    configurator.setReserveBorrowing(loan, True, sender=owner)
    configurator.setReserveFlashLoaning(loan, True, sender=owner)
    configurator.setReserveFactor(loan, fee_wad // _WAD_PER_BASIS_POINT, sender=owner)
    limits = (_LTV, THRESHOLD, WAD + _BONUS)
    points = [limit // _WAD_PER_BASIS_POINT for limit in limits]
    configurator.configureReserveAsCollateral(collateral, *points, sender=owner)
    return pool


def _deploy_oracle(tokens: Tokens, provider: Contract) -> Contract:
    assets, sources = [tokens.collateral.address], [tokens.oracle.address]
    no_fallback, base = NOBODY, tokens.loan.address
    return tokens.chain.deploy(
        _part("AaveOracle"),
        provider.address,
        assets,
        sources,
        no_fallback,
        base,
        WAD,
        sender=tokens.owner,
    )


def _deploy_libraries(chain: Chain, owner: str) -> dict[str, str]:
    """Their addresses by name; one of them calls another."""
    addresses: dict[str, str] = {}
    for name in (
        *("BorrowLogic", "BridgeLogic", "ConfiguratorLogic", "EModeLogic", "LiquidationLogic"),
        *("PoolLogic", "SupplyLogic", "FlashLoanLogic"),
    ):
        addresses[name] = chain.deploy(_part(name, addresses), sender=owner).address
    return addresses


def _list_reserves(
    tokens: Tokens, provider: Contract, pool: Contract, configurator: Contract
) -> None:
    chain, owner = tokens.chain, tokens.owner
    codes = [
        chain.deploy(_part(name), pool.address, sender=owner).address
        for name in ("ATokenInstance", "VariableDebtTokenInstance")
    ]
    rates = chain.deploy(
        _part("DefaultReserveInterestRateStrategyV2"), provider.address, sender=owner
    )
    virtual_balance, treasury, no_incentives = True, owner, NOBODY
    reserves = [
        (
            *codes,
            virtual_balance,
            rates.address,
            token.address,
            treasury,
            no_incentives,
            *(f"{what} {name}" for what in ("aToken", "variableDebt") for name in (number, number)),
            b"",
            encode(["(uint16,uint32,uint32,uint32)"], [_RATES]),
        )
        for number, token in enumerate((tokens.loan, tokens.collateral))
    ]
    configurator.initReserves(reserves, sender=owner)


def _part(name: str, libraries: dict[str, str] | None = None) -> Artifact:
    """A contract of Aave's, with the libraries' addresses put where its code calls them."""
    entry: dict[str, Any] = wheel_json(_PART, f"{_FOLDER}/{name}.json")
    code = linked(entry["bytecode"], libraries or {})
    return artifact_from_json(name, entry["abi"], code)


def linked(bytecode: dict[str, Any], libraries: dict[str, str]) -> str:
    """Code in hex with the libraries' addresses in the places that the compiler left for them."""
    code: str = bytecode["object"].removeprefix("0x")
    for places in bytecode["linkReferences"].values():
        for library, references in places.items():
            address = libraries[library].removeprefix("0x").lower()
            for reference in references:
                start = 2 * reference["start"]
                code = code[:start] + address + code[start + len(address) :]
    return code
