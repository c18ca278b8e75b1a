"""A budget: what answers have cost, and that no request may exceed the cap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from advisor.backend.prompted.endpoint.journal import Journal
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.errors import InputError, RunError


class Budget:
    """Money for answers; what the journal holds is already spent.

    Raises:
        InputError: there is a cap and no prices to hold against it.
    """

    def __init__(self, place: LanguageModelPlace, journal: Journal) -> None:
        self.place, self._journal = place, journal
        self._reserved: dict[object, float] = {}
        self._changed = asyncio.Condition()
        if place.max_usd is not None and self.price(0, 0) is None:
            raise InputError(
                "model.llm_max_usd caps what answers may cost, which takes the prices of tokens in and out; name them"
            )

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what tokens cost in dollars, None where prices are not known."""
        dear_in, dear_out = self.place.usd_per_million_in, self.place.usd_per_million_out
        if dear_in is None or dear_out is None:
            return None
        return (tokens_in * dear_in + tokens_out * dear_out) / 1e6

    @property
    def spent(self) -> float | None:
        """Dollars spent on all that the journal knows."""
        return self.price(self._journal.tokens_in, self._journal.tokens_out)

    @asynccontextmanager
    async def reserved(self, tokens_in: int, tokens_out: int) -> AsyncIterator[None]:
        """Set aside what a request may cost at most while it is under way.

        Where too little is left because of what others have set aside, wait for them: they mostly cost less.

        Raises:
            RunError: the request could exceed the cap.
        """
        most, cap = self.price(tokens_in, tokens_out), self.place.max_usd
        if most is None or cap is None:
            yield
            return
        async with self._changed:
            while (self.spent or 0.0) + sum(self._reserved.values()) + most > cap:
                if not self._reserved:
                    raise RunError(self._over(most, cap))
                await self._changed.wait()
            own = object()
            self._reserved[own] = most
        try:
            yield
        finally:
            del self._reserved[own]
            async with self._changed:
                self._changed.notify_all()

    def _over(self, most: float, cap: float) -> str:
        return (
            f"answers have cost {self.spent or 0.0:.4f} of at most {cap:.4f} USD and the next may cost {most:.4f}; "
            f"raise model.llm_max_usd and start again: the {len(self._journal):,} answers paid for are kept"
        )
