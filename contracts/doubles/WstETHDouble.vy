# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title WstETHDouble
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Stands in for Lido's wstETH on a local chain, with Lido's interface and Lido's rounding:
        one wstETH (18 decimals) is one stETH share. `unwrap` sends a stETH amount, which moves at
        most the burnt shares; the odd share left behind stays here, as with Lido.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

# The erc20 module needs an owner for its minter roles. Neither is exported: wrapping alone mints.
from snekmate.auth import ownable

# The token itself and permit.
from snekmate.tokens import erc20

from ..interfaces import IStETH
from ..interfaces import IWstETH

initializes: ownable
initializes: erc20[ownable := ownable]

implements: IERC20
implements: IERC20Detailed
implements: IWstETH

# Without `name` and `symbol`: the module's strings are too short for Lido's.
exports: (
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)


name: public(constant(String[31])) = "Wrapped liquid staked Ether 2.0"
symbol: public(constant(String[6])) = "wstETH"

_WAD: constant(uint256) = 10**18
_STETH: immutable(IStETH)


@deploy
def __init__(steth: address):
    """
    @param steth The token to wrap.
    """
    _STETH = IStETH(steth)
    ownable.__init__()
    erc20.__init__("", "", 18, name, "1")


@external
@payable
def __default__():
    """
    @notice Stakes plain ether and mints the sender the shares it makes as wstETH.
    """
    assert len(msg.data) == 0, "wsteth: unknown function"
    shares: uint256 = extcall _STETH.submit(empty(address), value=msg.value)
    erc20._mint(msg.sender, shares)


@external
def wrap(steth_amount: uint256) -> uint256:
    """
    @notice Takes stETH from the caller and mints the shares it moves as wstETH.
    @param steth_amount In wei of stETH.
    @return The wstETH minted, in wei.
    """
    assert steth_amount != 0, "wsteth: zero wrap"
    shares: uint256 = staticcall _STETH.getSharesByPooledEth(steth_amount)
    erc20._mint(msg.sender, shares)
    received: bool = extcall IERC20(_STETH.address).transferFrom(msg.sender, self, steth_amount)
    assert received, "wsteth: not received"
    return shares


@external
def unwrap(wsteth_amount: uint256) -> uint256:
    """
    @notice Burns wstETH of the caller and sends the stETH it stands for.
    @param wsteth_amount In wei of wstETH.
    @return The stETH sent, in wei, rounded down.
    """
    assert wsteth_amount != 0, "wsteth: zero unwrap"
    amount: uint256 = staticcall _STETH.getPooledEthByShares(wsteth_amount)
    erc20._burn(msg.sender, wsteth_amount)
    sent: bool = extcall IERC20(_STETH.address).transfer(msg.sender, amount)
    assert sent, "wsteth: not sent"
    return amount


@external
@view
def stETH() -> address:
    """
    @return The wrapped token.
    """
    return _STETH.address


@external
@view
def getWstETHByStETH(steth_amount: uint256) -> uint256:
    """
    @return The wstETH that so much stETH makes, in wei, rounded down.
    """
    return staticcall _STETH.getSharesByPooledEth(steth_amount)


@external
@view
def getStETHByWstETH(wsteth_amount: uint256) -> uint256:
    """
    @return The stETH that so much wstETH makes, in wei, rounded down.
    """
    return staticcall _STETH.getPooledEthByShares(wsteth_amount)


@external
@view
def stEthPerToken() -> uint256:
    """
    @return The stETH that one wstETH makes: a rate in WAD.
    """
    return staticcall _STETH.getPooledEthByShares(_WAD)


@external
@view
def tokensPerStEth() -> uint256:
    """
    @return The wstETH that one stETH makes: a rate in WAD.
    """
    return staticcall _STETH.getSharesByPooledEth(_WAD)
