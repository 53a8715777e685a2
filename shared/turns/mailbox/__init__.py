"""A conversation's mailbox: what was accepted for it, who runs it, and who looks after them."""
