"""Objects that can be fetched again by their id."""

import strawberry


@strawberry.interface(description="An object that can be fetched again by its id.")
class Node:
    """Its id is opaque, unique over all kinds, and stays."""

    id: strawberry.ID = strawberry.field(description="Opaque; give it to `node(id:)`, never take it apart.")
