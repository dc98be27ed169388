"""The web process: the API, and the few other addresses it answers at."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from limits.aio.storage import SlidingWindowCounterSupport
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from meetings.application.sites import Site, site_at
from meetings.graphql.counts_in_memory import CountsInMemory
from meetings.graphql.options import ApiOptions
from meetings.graphql.router import GraphQLRoutes, graphql_router
from meetings.graphql.schema import printed_schema
from meetings.infrastructure.counts_in_redis import CountsInRedis
from meetings.infrastructure.http import (
    booking_page,
    chat,
    domains,
    exports,
    health,
    invitations,
    manage,
    oauth,
    unsubscribe,
    webhooks,
)
from meetings.infrastructure.http.answer_again import AnswerAgain
from meetings.infrastructure.http.hosts import KnownHost
from meetings.infrastructure.http.middleware import (
    REQUEST_ID,
    BodyLimit,
    RequestIds,
    SecurityHeaders,
    UnexpectedErrors,
)
from meetings.infrastructure.logs import set_up_logs
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.settings import Settings, read_settings
from meetings.infrastructure.worker import Worker

_GRAPHQL = "/graphql"


class WebProcess(FastAPI):
    """The framework's application with an entrance before it, its own outermost layers included."""

    entrance: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.entrance(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the framework does."""
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, *, with_worker: bool | None = None) -> FastAPI:
    """The application. Without Redis it runs the worker as well, in threads, unless `with_worker` says otherwise."""
    process = Process(settings)
    embedded = process.redis_url is None if with_worker is None else with_worker
    app = WebProcess(
        title="meetings", docs_url=None, redoc_url=None, openapi_url=None, lifespan=partial(_life, process, embedded)
    )
    app.state.process = process
    options = _api_options(settings)
    routes = graphql_router(lambda: app.state.runtime.toolbox, options)
    _add_routes(app, routes, options)
    app.add_middleware(partial(routes.direct, path=_GRAPHQL))
    _add_middleware(app, settings)
    app.entrance = _entrance(app, routes, settings)
    return app


def app_from_environment() -> FastAPI:
    """For a server that starts processes of its own."""
    settings = read_settings()
    set_up_logs(settings.log_format, settings.log_level)
    app = create_app(settings)
    spare_the_collector()
    return app


def spare_the_collector() -> None:
    """What is loaded by now stays; looking through it again and again only makes single requests late."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@asynccontextmanager
async def _life(process: Process, embedded: bool, app: FastAPI) -> AsyncIterator[None]:
    process.start()
    try:
        async with Runtime.open(process) as runtime:
            await runtime.refuse_wrong_keys()
            worker = Worker(partial(Runtime.open, process), process.doorbell) if embedded else None
            app.state.runtime, app.state.worker = runtime, worker
            if worker is not None:
                await asyncio.to_thread(worker.start)
            try:
                yield
            finally:
                if worker is not None:
                    await asyncio.to_thread(worker.stop)
    finally:
        process.stop()


def _add_routes(app: FastAPI, graphql: GraphQLRoutes, options: ApiOptions) -> None:
    app.include_router(chat.chat_router(lambda: graphql.product().chat_links, options))  # first, as the most asked for
    app.include_router(graphql, prefix=_GRAPHQL)
    app.include_router(booking_page.booking_routes(graphql.product, options))
    for routes in (health, oauth, webhooks, manage, invitations, unsubscribe, domains, exports):
        app.include_router(routes.router)

    @app.get("/schema.graphql")
    async def schema() -> PlainTextResponse:
        return PlainTextResponse(printed_schema())

    @app.get("/")
    async def root() -> dict[str, Any]:
        return {"name": "meetings", "graphql": "/graphql", "schema": "/schema.graphql", "health": "/health/ready"}


def _api_options(settings: Settings) -> ApiOptions:
    return ApiOptions(
        allowed_origins=settings.allowed_origins,
        secure_cookies=settings.https,
        explorer=settings.shows_explorer,
        introspection_for_anonymous=settings.shows_explorer,
        rates=settings.rates,
        rate_storage=_rate_storage(settings),
    )


def _rate_storage(settings: Settings) -> SlidingWindowCounterSupport:
    if settings.redis_url is None:
        return CountsInMemory()
    return CountsInRedis(settings.redis_url.get_secret_value())


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """From the inside out: the one added last sees a request first."""
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", REQUEST_ID],
            expose_headers=[REQUEST_ID],
            allow_credentials=True,
            max_age=3600,
        )
    app.add_middleware(BodyLimit)

    async def find(host: str, scope: Scope) -> Site | None:
        tools = app.state.runtime.toolbox
        return await site_at(host, links=tools.links, reads=tools.reads)

    app.add_middleware(KnownHost, links=app.state.process.links, find=find, strict=settings.production)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(SecurityHeaders, https=settings.https)
    app.add_middleware(RequestIds)


def _entrance(app: "WebProcess", routes: GraphQLRoutes, settings: Settings) -> ASGIApp:
    """What comes before all layers: whose request it is, and whether its answer is at hand."""
    entrance = AnswerAgain(app.answer, path=_GRAPHQL, routes=routes, links=app.state.process.links)
    if not settings.trusted_proxies:
        return entrance
    trusting = ProxyHeadersMiddleware(cast(Any, entrance), trusted_hosts=list(settings.trusted_proxies))
    return cast(ASGIApp, trusting)  # the server names the types of its messages more exactly
