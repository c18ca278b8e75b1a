"""Prompting language models: prompts, the models that answer them, and how answers become a task's outputs."""
