"""What the service makes of a rule's result rows: the trigger, alerts, entities and details (S-36 to S-63)."""

from toolkit.simulate.alerts import Alert, Window, raise_alerts, window_of
from toolkit.simulate.entities import Entity

__all__ = ["Alert", "Entity", "Window", "raise_alerts", "window_of"]
