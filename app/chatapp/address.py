"""Where the store is and how to get in: VALKEY_URL and VALKEY_CA_FILE, without loading a client for it."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

# The password ends at the last @, so that one that was pasted in unencoded may hold any character but a %.
_URL = re.compile(
    r"(?P<scheme>valkeys?|rediss?)://"
    r"(?:(?P<user>[^:@/]*)(?::(?P<password>.*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/(?P<db>[0-9]{0,5}))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A Valkey server; its password must never be printed, so `repr` leaves it out.

    Attributes:
        host: Name or IP address.
        port: Its port.
        db: Number of the database.
        user: "" means the default user.
        password: "" means none.
        tls: Whether to speak TLS, and then check its certificate and name.
        ca_file: Who may have signed the certificate; None means whom the system trusts.
    """

    host: str
    port: int
    db: int
    user: str
    password: str
    tls: bool
    ca_file: Path | None

    @classmethod
    def parse(cls, url: str, ca_file: str | None) -> "Address":
        """Read `valkey://[user][:password]@host:port/db`; valkeys:// and rediss:// mean TLS, redis:// is the same.

        Raises:
            ValueError: it is none; the message must not repeat it.
        """
        parts = _URL.fullmatch(url)
        if not parts:
            raise ValueError
        port = int(parts["port"] or 6379)
        if not 1 <= port <= 65535:
            raise ValueError
        return cls(
            host=parts["host"].strip("[]"),
            port=port,
            db=int(parts["db"] or 0),
            user=unquote(parts["user"] or ""),
            password=unquote(parts["password"] or ""),
            tls=parts["scheme"] in ("valkeys", "rediss"),
            ca_file=Path(ca_file) if ca_file else None,
        )

    def __repr__(self) -> str:
        return f"Address({self})"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
