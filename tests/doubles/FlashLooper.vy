# pragma version 0.4.3
"""
@title FlashLooper
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Borrows for the length of a callback that does nothing, from Relever, Morpho Blue or Aave. What
        it owes is pulled from it: `approve` comes first. For measuring gas.
"""
from ethereum.ercs import IERC20


interface IRelever:
    def flashLoan(receiver: address, token: address, amount: uint256, data: Bytes[1024]) -> bool: nonpayable


interface IMorpho:
    def flashLoan(token: address, amount: uint256, data: Bytes[1]): nonpayable


interface IAave:
    def flashLoanSimple(
        receiver: address, asset: address, amount: uint256, params: Bytes[1], referral_code: uint16
    ): nonpayable


@external
def approve(token: address, spender: address):
    extcall IERC20(token).approve(spender, max_value(uint256))


@external
def borrow_relever(market: address, token: address, amount: uint256):
    extcall IRelever(market).flashLoan(self, token, amount, b"")


@external
def borrow_morpho(morpho: address, token: address, amount: uint256):
    extcall IMorpho(morpho).flashLoan(token, amount, b"")


@external
def borrow_aave(pool: address, token: address, amount: uint256):
    extcall IAave(pool).flashLoanSimple(self, token, amount, b"", 0)


@external
def onFlashLoan(
    initiator: address, token: address, amount: uint256, fee: uint256, data: Bytes[1024]
) -> bytes32:
    return keccak256("ERC3156FlashBorrower.onFlashLoan")


@external
def onMorphoFlashLoan(amount: uint256, data: Bytes[1]):
    pass


@external
def executeOperation(
    asset: address, amount: uint256, premium: uint256, initiator: address, params: Bytes[1]
) -> bool:
    return True
