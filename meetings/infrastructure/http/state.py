"""What the routes find in the application they run in."""

from starlette.requests import HTTPConnection

from meetings.application.sites import Site
from meetings.infrastructure.runtime import Runtime


def runtime_of(connection: HTTPConnection) -> Runtime:
    """The runtime of the application's event loop, opened when the application started."""
    runtime: Runtime = connection.app.state.runtime
    return runtime


def site_of(connection: HTTPConnection) -> Site:
    """The site the request is for, as found by its host."""
    site: Site = connection.state.site
    return site
