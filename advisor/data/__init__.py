"""Labelled data: read from any common format, checked, and looked over; no heavy import."""
