"""How much the bench measures, from ``rules/doctor.yaml``."""

from typing import NamedTuple

from advisor.settings import load_settings


class BenchSettings(NamedTuple):
    """How much is measured.

    Attributes:
        repeats: timings of each piece of work, of which the median counts.
        product_ms: a matrix product is made larger until it takes so long.
        copy_mb: 10^6 bytes copied at once.
        tokens: embedded at once, in texts of each of ``lengths``.
        lengths: tokens of a text.
        batches: rows and tokens of a row of the updates that are timed.
        wide_hidden, wide_layers: sizes of a second encoder.
        wide_tokens, wide_lengths, wide_batches: what is timed of that.
    """

    repeats: int
    product_ms: float
    copy_mb: int
    tokens: int
    lengths: tuple[int, ...]
    batches: tuple[tuple[int, int], ...]
    wide_hidden: int
    wide_layers: int
    wide_tokens: int
    wide_lengths: tuple[int, ...]
    wide_batches: tuple[tuple[int, int], ...]

    @classmethod
    def of_rules(cls) -> "BenchSettings":
        """Return the settings of the rules.

        Raises:
            RuleBaseError: an entry breaks its schema.
        """
        rules = load_settings("doctor.yaml")
        return cls(
            repeats=rules["bench_repeats"],
            product_ms=rules["bench_product_ms"],
            copy_mb=rules["bench_copy_mb"],
            tokens=rules["bench_tokens"],
            lengths=tuple(rules["bench_lengths"]),
            batches=tuple((rows, length) for rows, length in rules["bench_batches"]),
            wide_hidden=rules["bench_wide_hidden"],
            wide_layers=rules["bench_wide_layers"],
            wide_tokens=rules["bench_wide_tokens"],
            wide_lengths=tuple(rules["bench_wide_lengths"]),
            wide_batches=tuple((rows, length) for rows, length in rules["bench_wide_batches"]),
        )

    def wide(self) -> "BenchSettings":
        """Return the settings for the wide encoder."""
        return self._replace(tokens=self.wide_tokens, lengths=self.wide_lengths, batches=self.wide_batches)
