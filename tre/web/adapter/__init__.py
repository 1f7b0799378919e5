"""The services of the surface over the flows: each resource's facts as the views that the contract promises."""

from tre.web.adapter.broker import BrokerService

__all__ = ["BrokerService"]
