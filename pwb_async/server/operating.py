"""Which Operation a server has."""

from .operation import Operation
from .state import ServerState


def make_operation(state: ServerState, interval: float) -> Operation:
    """What the options demand. interval: seconds between two sweeps."""
    if state.context.metrics is None:
        return Operation()
    from .measured_operation import MeasuredOperation  # most servers are not measured

    return MeasuredOperation(state, state.context.metrics, interval)
