"""What functions may count on, the same on every host."""
