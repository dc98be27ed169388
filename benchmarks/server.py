"""The product's web server with one more address, for comparison: `python -m benchmarks.server serve --port N`.

`PUT /static` keeps a body, `POST /static` answers it, through everything a request to the API passes before the API:
what is slower than that is the API's own.
"""

import sys

from fastapi import FastAPI, Request, Response
from starlette.routing import Route

from meetings.infrastructure import server
from meetings.infrastructure.app import app_from_environment
from meetings.infrastructure.settings import read_settings


def app_with_static_answer() -> FastAPI:
    """The application of the environment's settings, and the static answer."""
    app = app_from_environment()
    kept = b"{}"

    async def static(request: Request) -> Response:
        nonlocal kept
        body = await request.body()
        if request.method == "PUT":
            kept = body
        return Response(kept, media_type="application/json")

    app.router.routes.insert(0, Route("/static", static, methods=["PUT", "POST"]))
    return app


if __name__ == "__main__":
    application = f"{__spec__.name}:{app_with_static_answer.__name__}"
    server.serve(read_settings(), "127.0.0.1", int(sys.argv[-1]), processes=1, application=application)
