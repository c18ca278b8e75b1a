"""Forecasts: what a candidate will take and bring, as intervals, before anything runs."""
