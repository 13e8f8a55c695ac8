"""A workbook drawn from the local engine: in a browser beside the editor, or as one HTML file for a pull request."""
