# pragma version 0.4.3
"""
@title AVSRegistrarDouble
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The registrar of an AVS that takes every operator: EigenLayer's AllocationManager asks it
        whenever one joins or leaves an operator set. Keeps nothing.
"""


@external
@pure
def supportsAVS(avs: address) -> bool:
    """
    @return True for every AVS.
    """
    return True


@external
@pure
def registerOperator(
    operator: address, avs: address, operator_set_ids: DynArray[uint32, 8], data: Bytes[64]
):
    """
    @notice Accepts by not reverting.
    """
    pass


@external
@pure
def deregisterOperator(
    operator: address, avs: address, operator_set_ids: DynArray[uint32, 8]
):
    """
    @notice Accepts by not reverting.
    """
    pass
