# pragma version 0.4.3
"""
@title EigenPodManagerDouble
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Tells EigenLayer's DelegationManager, on a local chain, that nobody restakes native ether
        and that no beacon chain slash happened. Holds nothing, keeps nothing.
"""


@external
@pure
def podOwnerDepositShares(pod_owner: address) -> int256:
    """
    @return Shares of native ether: none.
    """
    return 0


@external
@pure
def stakerDepositShares(staker: address, strategy: address) -> uint256:
    """
    @return Shares of native ether: none.
    """
    return 0


@external
@pure
def beaconChainSlashingFactor(staker: address) -> uint64:
    """
    @return What is left after beacon chain slashes, in WAD: all.
    """
    return 10**18
