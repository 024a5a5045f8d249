# pragma version 0.4.3
"""
@title What backs the LRT
@custom:contract-name lrt_backing
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The vault's rate times the LST's: in WETH, read from both themselves and from no oracle.
"""
from ethereum.ercs import IERC4626

from ..interfaces import ILRTVault
from ..interfaces import IWstETH


WAD: constant(uint256) = 10**18

LRT: immutable(address)
LST: immutable(address)


@deploy
def __init__(lrt: address):
    LRT = lrt
    LST = staticcall IERC4626(lrt).asset()


@internal
@view
def _live() -> uint256:
    """
    @notice What backs an LRT, WETH scaled by 1e36: as the vault reckons for who enters, with every
            adapter as if synced now; and as it has booked, while an adapter cannot be read.
    @dev Not the vault's rate for who leaves, which counts slashes too that may yet be vetoed: at
         that, a mere request of one would sell collateral for less than it is worth.
         Too little gas to read adapters comes to the same as one that cannot be read: to a higher
         worth, at which leverage falls later and its taker gets less, and at which the market's
         oracle lets none rise.
    """
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        LRT,
        abi_encode(WAD, method_id=method_id("previewMint(uint256)")),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answer) != 32:
        return self._booked()
    # It is rounded up.
    rate: uint256 = convert(answer, uint256) - 1
    lst_rate: uint256 = staticcall IWstETH(LST).stEthPerToken()
    return rate * lst_rate


@internal
@view
def _booked() -> uint256:
    """@return The same by the vault's books."""
    rate: uint256 = staticcall ILRTVault(LRT).rate()
    lst_rate: uint256 = staticcall IWstETH(LST).stEthPerToken()
    return rate * lst_rate
