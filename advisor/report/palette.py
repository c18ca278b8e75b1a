"""The palette: a colour for every strategy, on light paper and on dark; a family's colours are akin."""

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour as drawn on light and on dark paper."""

    light: str
    dark: str


PALETTE = {
    "zero-shot": Colour("#a0568c", "#d794c4"),
    "few-shot": Colour("#6f559f", "#ab96d8"),
    "linear-probe": Colour("#33719a", "#6cb0dc"),
    "partial-unfreezing": Colour("#1c7f86", "#5cc4c4"),
    "lora": Colour("#4a5fb8", "#9db0f2"),
    "contrastive": Colour("#96700c", "#e3bd62"),
    "lp-ft": Colour("#b8433f", "#f0938a"),
    "full-fine-tuning": Colour("#b05d2a", "#e39663"),
    "sft": Colour("#4f7f3a", "#9ccb85"),
    "dpo": Colour("#23795a", "#6fcfa3"),
    "kto": Colour("#6f7a1c", "#c9c566"),
}
