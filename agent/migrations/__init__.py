"""The schema's history. It ships inside the package and runs when a store is opened; nobody needs an alembic.ini.

A new step is a file in `versions/`; add its id to KNOWN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

KNOWN = ("0001", "0002", "0003")
"""Every revision, oldest first. Kept here so that opening a current store does not import Alembic (0.2 s)."""
HEAD = KNOWN[-1]


def upgrade(connection: Connection) -> None:
    """Run the missing steps on a connection whose transaction the caller owns."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "agent:migrations")
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
