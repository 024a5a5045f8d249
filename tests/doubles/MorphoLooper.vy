# pragma version 0.4.3
# pragma optimize gas
"""
@title MorphoLooper
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The least that opens and closes a loop of the LRT on Morpho Blue: Morpho calls back, the looper
        borrows and converts, Morpho pulls in. It believes whoever calls it and checks nothing. For
        measuring gas beside the router's.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626


interface IMorpho:
    def supplyCollateral(params: Params, assets: uint256, owner: address, data: Bytes[128]): nonpayable
    def borrow(
        params: Params, assets: uint256, shares: uint256, owner: address, receiver: address
    ) -> (uint256, uint256): nonpayable
    def repay(
        params: Params, assets: uint256, shares: uint256, owner: address, data: Bytes[128]
    ) -> (uint256, uint256): nonpayable
    def withdrawCollateral(
        params: Params, assets: uint256, owner: address, receiver: address
    ): nonpayable


interface ISwap:
    def swap(
        token_in: address,
        token_out: address,
        amount_in: uint256,
        min_out: uint256,
        receiver: address,
    ) -> uint256: nonpayable


interface IWeth:
    def withdraw(amount: uint256): nonpayable


struct Params:
    loan: address
    collateral: address
    oracle: address
    irm: address
    lltv: uint256


MORPHO: immutable(address)
LOAN: immutable(address)
LRT: immutable(address)
LST: immutable(address)
ORACLE: immutable(address)
IRM: immutable(address)
LLTV: immutable(uint256)
SWAP: immutable(address)


@deploy
def __init__(morpho: address, params: Params, lst: address, swap: address):
    MORPHO = morpho
    LOAN = params.loan
    LRT = params.collateral
    ORACLE = params.oracle
    IRM = params.irm
    LLTV = params.lltv
    LST = lst
    SWAP = swap
    extcall IERC20(LOAN).approve(MORPHO, max_value(uint256))
    extcall IERC20(LRT).approve(MORPHO, max_value(uint256))
    extcall IERC20(LST).approve(LRT, max_value(uint256))


@payable
@external
def __default__():
    pass


@external
def open(equity: uint256, borrow: uint256, collateral: uint256, swaps: bool):
    """@param collateral What the conversion will give: reckoned before."""
    extcall IERC20(LOAN).transferFrom(msg.sender, self, equity)
    extcall IMorpho(MORPHO).supplyCollateral(
        self._params(), collateral, msg.sender, abi_encode(msg.sender, equity, borrow, swaps)
    )


@external
def close(collateral: uint256, shares: uint256):
    """@param shares Of the debt, to repay."""
    extcall IMorpho(MORPHO).repay(
        self._params(), 0, shares, msg.sender, abi_encode(msg.sender, collateral)
    )
    left: uint256 = staticcall IERC20(LOAN).balanceOf(self)
    extcall IERC20(LOAN).transfer(msg.sender, left)


@external
def onMorphoSupplyCollateral(assets: uint256, data: Bytes[128]):
    owner: address = empty(address)
    equity: uint256 = 0
    borrow: uint256 = 0
    swaps: bool = False
    owner, equity, borrow, swaps = abi_decode(data, (address, uint256, uint256, bool))
    extcall IMorpho(MORPHO).borrow(self._params(), borrow, 0, owner, self)
    if swaps:
        extcall IERC20(LOAN).transfer(SWAP, equity + borrow)
        extcall ISwap(SWAP).swap(LOAN, LRT, equity + borrow, 0, self)
    else:
        extcall IWeth(LOAN).withdraw(equity + borrow)
        raw_call(LST, b"", value=equity + borrow)
        staked: uint256 = staticcall IERC20(LST).balanceOf(self)
        extcall IERC4626(LRT).deposit(staked, self)


@external
def onMorphoRepay(assets: uint256, data: Bytes[128]):
    owner: address = empty(address)
    collateral: uint256 = 0
    owner, collateral = abi_decode(data, (address, uint256))
    extcall IMorpho(MORPHO).withdrawCollateral(self._params(), collateral, owner, self)
    extcall IERC20(LRT).transfer(SWAP, collateral)
    extcall ISwap(SWAP).swap(LRT, LOAN, collateral, 0, self)


@view
@internal
def _params() -> Params:
    return Params(
        loan=LOAN, collateral=LRT, oracle=ORACLE, irm=IRM, lltv=LLTV
    )
