"""From rendered content to changes in a workspace."""
