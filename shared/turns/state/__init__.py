"""What a turn reads, stages and commits."""
