"""How state is written down: objects to plain JSON and back."""
