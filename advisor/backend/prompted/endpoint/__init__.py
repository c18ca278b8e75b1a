"""Language models behind an endpoint that speaks the OpenAI protocol."""

from advisor.backend.prompted.endpoint.endpoint import Endpoint

__all__ = ["Endpoint"]
