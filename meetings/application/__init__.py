"""What the product can do: one file per intention. Async, no framework."""
