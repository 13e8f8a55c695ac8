"""Models of content files. Importing them loads pydantic; the command line does so only when it reads content."""
