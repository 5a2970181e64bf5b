"""How a case says that something is not as it must be."""

# Seconds after which a wait has failed; an upgrade under load takes a tenth of one.
PATIENCE = 20


class Failed(Exception):
    """Something is not as it must be."""


def expect(condition, message):
    """Fails the case unless the condition holds."""
    if not condition:
        raise Failed(message)
