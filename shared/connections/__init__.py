"""What connections of a worker need: threads, event loops and time limits of their own."""
