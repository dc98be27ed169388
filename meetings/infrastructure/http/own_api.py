"""The API as this server's own pages ask it: in the same process, as anybody, under the same limits and rules."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response

from meetings.graphql.context import Connection, Product
from meetings.graphql.options import ApiOptions
from meetings.graphql.rate_limits import Limiter
from meetings.graphql.schema import schema


class Refused(Exception):
    """The API refused an operation as a whole; `code` is its error's."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class OwnApi:
    """Asks in the name of whoever opened a page, as a visitor: a session's cookie counts for nothing here."""

    def __init__(self, product: Callable[[], Product], options: ApiOptions) -> None:
        self._product = product
        self._options = options
        self._limiter = Limiter(options.rate_storage)

    @property
    def product(self) -> Product:
        return self._product()

    async def ask(
        self, http: HTTPConnection, document: str, variables: Mapping[str, Any], *, cookies: Response | None = None
    ) -> dict[str, Any]:
        """The `data` of an operation; cookies it sets are put on `cookies`.

        Raises:
            Refused: the operation could not be carried out at all.
        """
        connection = Connection(self._product(), self._options, self._limiter, http)
        connection.response = cookies
        result = await schema.execute(document, dict(variables), connection)
        if result.errors:
            raise Refused((result.errors[0].extensions or {}).get("code", ""))
        return result.data or {}
