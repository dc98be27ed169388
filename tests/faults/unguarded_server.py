"""The web server with the guard against double bookings taken out: `python -m tests.faults.unguarded_server serve`.

Called as the product's own `serve`. It is the product but for its units of work; see `tests/unguarded.py`.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI

from meetings.infrastructure import server
from meetings.infrastructure.app import app_from_environment
from meetings.infrastructure.settings import read_settings
from tests.unguarded import unguarded


def unguarded_app() -> FastAPI:
    """The application of the environment's settings, without the guard."""
    app = app_from_environment()
    guarded_life = app.router.lifespan_context

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        async with guarded_life(app):
            runtime = app.state.runtime
            tools = replace(runtime.toolbox, begin_as=unguarded(runtime.database))
            app.state.runtime = replace(runtime, toolbox=tools)
            yield

    app.router.lifespan_context = life
    return app


if __name__ == "__main__":
    application = f"{__spec__.name}:{unguarded_app.__name__}"
    server.serve(read_settings(), "127.0.0.1", int(sys.argv[-1]), processes=1, application=application)
