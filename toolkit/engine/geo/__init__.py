"""Geospatial values: GeoJSON, points, grids of cells, lines and polygons on a sphere (R-332)."""
