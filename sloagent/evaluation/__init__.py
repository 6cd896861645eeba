"""What we conclude: pure functions from model to model."""
