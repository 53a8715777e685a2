"""
What you write tests of a conversation with. It stays when shared/bot is replaced.

`fixtures` is loaded for every test, so that a test only names what it needs:

- `chat`: says something to the bot in shared/bot, and returns its replies. `chat_of(user_id,
  conversation_id)` makes more of them, over the same storage.
- `storage`: what the bot remembers, in memory. `stored` reads it as it is stored.
- `clock`: what time it is for the user. It stands still until the test sets it.
- `history`: plays a seeded history of failures, and returns what went wrong that should not
  have; nothing, if the bot is correct.

All of them use the bot in shared/bot. To test another, override `bot_module`, as `test_example`
does. Copy that file into tests/bot to begin with.
"""
