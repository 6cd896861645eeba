"""How a file becomes a model: the only room that knows YAML."""
