"""The application behind the function: conversation, storage and channel."""
