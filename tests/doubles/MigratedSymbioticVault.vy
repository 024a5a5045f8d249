# pragma version 0.4.3
"""
@title MigratedSymbioticVault
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Code that a Symbiotic vault's owner can move it to: it still has the stake and pays claims of
        what it holds, but counts everything in another way.
@dev Runs behind the vault's proxy, over what the old code left in storage.
"""
from ethereum.ercs import IERC20

FACTORY: public(immutable(address))
token: immutable(address)

version: public(uint64)


@deploy
def __init__(factory: address, token_: address):
    FACTORY = factory
    token = token_


@external
def migrate(new_version: uint64, data: Bytes[32]):
    self.version = new_version


@view
@external
def isInitialized() -> bool:
    return True


@view
@external
def collateral() -> address:
    return token


@view
@external
def activeBalanceOf(account: address) -> uint256:
    return 10**18


@external
def withdraw(claimer: address, amount: uint256) -> (uint256, uint256):
    return amount, amount


@view
@external
def withdrawalsOf(index: uint256, account: address) -> uint256:
    """@return Nothing under any number below ten, which the new code gives another meaning."""
    return 0 if index < 10 else 10**18


@external
def claim(recipient: address, index: uint256) -> uint256:
    extcall IERC20(token).transfer(recipient, 10**18)
    return 10**18
