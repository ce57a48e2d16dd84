"""A worker: it claims tasks, runs their handlers, holds their leases and reports the results."""

from .task_worker import Worker

__all__ = ["Worker"]
