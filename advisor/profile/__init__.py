"""The profile: what is known of a project, and where each answer came from."""

from advisor.profile.profile import (
    INPUTS,
    SECTIONS,
    Input,
    Profile,
    Source,
    load_profile,
    parse_answer,
    parse_setting,
    profile_schema,
)

__all__ = [
    "INPUTS",
    "SECTIONS",
    "Input",
    "Profile",
    "Source",
    "load_profile",
    "parse_answer",
    "parse_setting",
    "profile_schema",
]
