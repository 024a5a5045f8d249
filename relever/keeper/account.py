"""The key that signs, out of a keystore file."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount


class AccountError(Exception):
    """The keystore cannot be opened; says why."""


def unlock(keystore: Path, password: str) -> LocalAccount:
    """The account of a keystore in the usual JSON form, as Ape and Geth keep them.

    Raises:
        AccountError: no such file, not a keystore, or a wrong password.
    """
    try:
        document = json.loads(keystore.read_text(encoding="utf-8"))
        key = Account.decrypt(document, password)
    except OSError as error:
        raise AccountError(f"{keystore} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise AccountError(
            f"{keystore} cannot be opened ({error}): is it a keystore, and the password right?"
        ) from error
    account: LocalAccount = Account.from_key(key)
    return account


def asked_password(keystore: Path, file: Path | None) -> str:
    """The keystore's password, out of a file or asked for. Raises `AccountError`."""
    if file is None:
        return getpass.getpass(f"password of {keystore}: ")
    try:
        return file.read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise AccountError(f"{file} cannot be read: {error.strerror}") from error
