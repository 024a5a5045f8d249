"""The account that signs: a keystore file, or the name of one that Ape keeps."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from eth_account.signers.local import LocalAccount

from relever.client.live import ClientError
from relever.keeper.account import AccountError, unlock


def load_account(name: str, password_file: Path | None = None) -> LocalAccount:
    """Unlock it; without a file the password is asked for.

    Raises:
        ClientError: there is no such account, or the password is wrong.
    """
    keystore = _keystore(name)
    if password_file is None:
        password = getpass.getpass(f"password of {keystore}: ")
    else:
        try:
            password = password_file.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise ClientError(f"{password_file} cannot be read: {error.strerror}") from error
    try:
        return unlock(keystore, password)
    except AccountError as error:
        raise ClientError(str(error)) from error


def _keystore(name: str) -> Path:
    folders = [os.environ.get("APE_DATA_FOLDER", ""), str(Path.home() / ".ape")]
    places = [Path(name), *(Path(one) / "accounts" / f"{name}.json" for one in folders if one)]
    for place in places:
        if place.is_file():
            return place
    raise ClientError(
        f"there is no account {name!r}: give the path of a keystore file, or the name of an account"
        " that `ape accounts list` shows"
    )
