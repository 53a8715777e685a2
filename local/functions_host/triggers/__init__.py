"""Functions that a queue's message or a timer starts, as the Functions host starts them."""
