"""What is wrong with the store, in one line that a person can act on, and never with the password in it."""

import os
import re
import socket
import ssl
from collections.abc import Iterator

from valkey import exceptions as valkey

from .address import Address

# OpenSSL's number for a certificate that is in order and of another host (X509_V_ERR_HOSTNAME_MISMATCH), and for
# another address.
_OTHER_NAME = (62, 64)

_TLS = "; if it wants TLS at this port, VALKEY_URL begins with valkeys://"
_PLAIN = "; if it speaks no TLS at this port, VALKEY_URL begins with valkey://"


def reason(problem: BaseException, address: Address, *, worked: bool) -> str:
    """Say why the store cannot be used, beginning with where it is; `worked`: it could be until now."""
    hint = "" if worked else _PLAIN if address.tls else _TLS
    known = (_known(cause, address, hint) for cause in _causes(problem))
    return f"valkey at {address}: {next(filter(None, known), None) or _said(problem, address)}"


def foreseen(problem: BaseException) -> bool:
    """Whether this is the store's trouble and not a mistake in this program."""
    return any(isinstance(cause, (valkey.ValkeyError, OSError)) for cause in _causes(problem))


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """The problem, then what led to it: what the system said is clearer than what a library made of it."""
    yield problem
    deeper = problem.__cause__ or problem.__context__
    if deeper:
        yield from _causes(deeper)


def _known(problem: BaseException, address: Address, hint: str) -> str | None:
    match problem:
        case ssl.SSLCertVerificationError():
            return _certificate(problem, address)
        case ssl.SSLError():
            said = (problem.reason or "no reason given").lower().replace("_", " ")
            return f"TLS failed ({said}){hint}"
        case socket.gaierror():
            return f"its host name cannot be resolved ({problem.strerror})"
        case OSError(filename=str(name)):
            return f"VALKEY_CA_FILE {name} cannot be used: {problem.strerror}"
        case valkey.TimeoutError() | TimeoutError():
            return f"no answer in time{hint if address.tls else ''}"
        case ConnectionResetError():
            return f"it closed the connection{hint}"
        case OSError() if problem.errno:
            return os.strerror(problem.errno).lower()
        case valkey.ConnectionError() if "closed by server" in str(problem):
            return f"it closed the connection{hint}"
        case valkey.AuthenticationError():
            return _authentication(str(problem), address)
        case valkey.BusyLoadingError():
            return "it is still loading its data (LOADING)"
        case valkey.OutOfMemoryError():
            return "its memory is full, nothing can be stored (OOM)"
        case valkey.ReadOnlyError():
            return "it is a replica that only reads; VALKEY_URL must name the primary (READONLY)"
        case valkey.NoPermissionError():
            return f"the user may not do this (NOPERM): {_said(problem, address)}"
    return None


def _certificate(problem: ssl.SSLCertVerificationError, address: Address) -> str:
    if problem.verify_code in _OTHER_NAME:
        return f"wrong TLS certificate: it is not for {address.host}"
    signer = f"nobody in VALKEY_CA_FILE {address.ca_file}" if address.ca_file else "nobody whom this system trusts"
    return f"wrong TLS certificate: {signer} has signed it ({problem.verify_message})"


def _authentication(text: str, address: Address) -> str:
    if "without any password" in text or "no password is set" in text:
        return "VALKEY_URL has a password, and the server asks for none"
    if not address.password:
        return "it asks for a password, and VALKEY_URL has none (NOAUTH)"
    return "wrong user or password (WRONGPASS)" if address.user else "wrong password (WRONGPASS)"


def _said(problem: BaseException, address: Address) -> str:
    """The first line of it, without the password: a server may repeat a command that it does not know."""
    line = next(iter(str(problem).strip().splitlines()), type(problem).__name__)
    # A system's error by its number: asyncio's text for a name with several addresses, or the client's.
    number = re.search(r"\bErr(?:no|or) (\d+)\b", line)
    if number:
        return os.strerror(int(number[1])).lower()
    return line.replace(address.password, "***") if address.password else line
