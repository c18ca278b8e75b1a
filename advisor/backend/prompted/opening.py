"""Opening a language model, wherever it is."""

from advisor.backend.devices import Device
from advisor.backend.prompted.language_model import LanguageModel
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.settings import PromptedSettings


def open_language_model(place: LanguageModelPlace, device: Device, settings: PromptedSettings) -> LanguageModel:
    """Return the model at a place, ready to answer.

    Raises:
        InputError: there is no language model there, or its endpoint needs a key that the environment does not hold.
    """
    if place.url is not None:
        from advisor.backend.prompted.endpoint import Endpoint

        return Endpoint(place, settings)
    from advisor.backend.prompted.local import load_language_model

    assert place.folder is not None
    return load_language_model(place.folder, device, name=place.name)
