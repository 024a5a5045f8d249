# pragma version 0.4.3
"""
@title AssetOf
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A vault that has an asset and nothing else.
"""

asset: public(immutable(address))


@deploy
def __init__(asset_: address):
    asset = asset_
