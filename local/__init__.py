"""What runs only on a developer's machine. Never deployed."""
