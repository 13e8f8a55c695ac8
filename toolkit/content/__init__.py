"""What detection content is: YAML files with the position of every key, models, templates, projects."""
