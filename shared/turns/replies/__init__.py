"""What a turn says, and how it is delivered."""
