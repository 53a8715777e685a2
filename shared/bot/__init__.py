"""The conversation: what is said and what is remembered. Replace it with your own."""
