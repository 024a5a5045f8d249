// SPDX-License-Identifier: AGPL-3.0-only
pragma solidity ^0.8.24;

import {ERC20, ERC4626, IERC20} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @title OpenZeppelin's ERC4626 with nothing added: the least that a vault costs.
contract OpenZeppelinVault is ERC4626 {
    constructor(IERC20 asset) ERC4626(asset) ERC20("OpenZeppelin vault", "ozV") {}
}
