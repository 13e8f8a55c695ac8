"""What the tables of a workspace are: names, columns and types, bundled and from the user's own configuration."""

from toolkit.catalog.catalog import Catalog, CatalogError

__all__ = ["Catalog", "CatalogError"]
