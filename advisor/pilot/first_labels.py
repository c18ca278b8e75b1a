"""First labels: the rows without a label that tell most once they have one, typical and unlike what is labelled."""

from collections.abc import Sequence

from advisor.backend.devices import choose_device
from advisor.backend.encoder import Encoder
from advisor.backend.features import FeatureCache
from advisor.backend.typical import Grouping, typical
from advisor.cache import cache_folder
from advisor.data.examples import LabelledData, as_text
from advisor.data.sheet import Waiting
from advisor.pilot.pilot import Pilot
from advisor.run.teaching import asked_texts
from advisor.settings import load_settings
from advisor.tasks import Input


def label_first(pilot: Pilot, data: LabelledData, seed: int) -> list[Waiting]:
    """Return the rows to label first, the most telling one first; none where every row has a label.

    Texts are compared by the features of the encoder that the pilot measures, of the shipped one where it measures
    none. A text counts once; those of the test file are left out. Of many rows some are drawn and looked at.

    Args:
        pilot: it tells how many are wanted, and the encoder.
        data: the rows.
        seed: of the draw and of the groups.

    Raises:
        InputError: the encoder cannot be had.
    """
    part, rules = data.train_part, load_settings("pilot.yaml")
    tested = data.test.inputs if data.test else []
    new = asked_texts(part.unlabelled, {*data.train.inputs, *tested}, rules["label_texts"], seed)
    if not new:
        return []
    known = asked_texts(data.train.inputs, (), rules["label_texts"], seed)
    encoder, cache = Encoder.load(pilot.encoder, choose_device()), FeatureCache(cache_folder("features"))
    texts, labelled = (cache.embed(encoder, [as_text(one) for one in some]) for some in (new, known))
    grouping = Grouping(rules["label_neighbours"], rules["label_group"], rules["label_groups"])
    places = _places(part.unlabelled, part.unlabelled_rows)
    chosen = typical(texts, labelled, pilot.first_labels, grouping, seed)
    return [Waiting(places[new[number]], new[number]) for number in chosen]


def _places(inputs: Sequence[Input], rows: Sequence[int]) -> dict[Input, int]:
    """Return the first place of every input."""
    return dict(reversed(list(zip(inputs, rows, strict=True))))
