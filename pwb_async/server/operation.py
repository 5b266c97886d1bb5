"""How a server is measured, and shown on its admin address; without --admin and --health, it is not."""


class Operation:
    """Nothing is measured, and there is no admin address."""

    async def open(self) -> None:
        """Respond on the admin address, unless that has begun already."""

    async def drain(self) -> None:
        """Leave the admin address to another process, which serves now."""

    async def close(self) -> None:
        """Close the admin address and its connections."""

    def maintain(self, now: float) -> None:
        """Check the admin address, and give a sign of life; to be called in each sweep. now: the loop's clock."""

    def refresh(self) -> None:
        """Measure everything, and let all processes see it."""

    def count(self, name: str) -> None:
        """Add one to a counter, by its name in metrics/cells.py."""

    def set_serving(self) -> None:
        """Note that the server accepts connections; of workers their supervisor does so."""

    def set_stopping(self) -> None:
        """Note that the server is about to end; of workers their supervisor does so."""
