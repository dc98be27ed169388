"""What the routes find in the application they run in."""

from starlette.requests import HTTPConnection

from meetings.infrastructure.runtime import Runtime


def runtime_of(connection: HTTPConnection) -> Runtime:
    """The runtime of the application's event loop, opened when the application started."""
    runtime: Runtime = connection.app.state.runtime
    return runtime
