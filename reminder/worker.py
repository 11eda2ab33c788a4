"""One of several workers, from its fork to its end."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from typing import TYPE_CHECKING

from reminder.releases.folder import FolderError
from reminder.run import serve
from reminder.stores.base import StoreError
from reminder.stores.keys import KeysError
from reminder.workers.ports import BindError
from reminder.workers.system import as_at_first

if TYPE_CHECKING:
    from reminder.active import Active
    from reminder.config import Config
    from reminder.workers.lead import Lead
    from reminder.workers.place import Place

__all__ = ["work"]


def work(config: Config, active: Active, started: float, place: Place, lead: Lead) -> int:
    """Serve until asked to stop, or until the supervisor is no more; returns the exit code. Never raises."""
    as_at_first()
    common = place.common
    if common is not None:
        common.turns.live(place.number)
    try:
        asyncio.run(serve(config, active, started, place, lead))
    except (BindError, FolderError, KeysError, StoreError) as error:
        lead.failed(str(error))
        return 1
    except BaseException as error:  # noqa: BLE001 - it must not go on as a second supervisor
        where = traceback.extract_tb(error.__traceback__)[-1]
        lead.failed(f"{type(error).__name__} in {os.path.basename(where.filename)}:{where.lineno}")  # noqa: PTH119
        return 1
    finally:
        sys.stdout.flush()
    return 0
