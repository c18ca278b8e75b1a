"""Strict values: typed, named, fixed once made; the base of what rules, profiles and settings are read as."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Values that do not change and have no other names than those of the class.

    A class is compiled when its first value is made: a command makes values of few of the classes that it imports.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
