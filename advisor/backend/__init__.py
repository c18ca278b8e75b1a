"""The embedded backend: encoders, frozen features, heads and tuning in this process.

Everything that imports torch, transformers or scikit-learn lives here; nothing here knows of profiles, rules or plans.
"""
