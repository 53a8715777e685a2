"""
How long, how many, how large: every number of the atomic turn, with its reason.
"""

TURN_DEADLINE_S = 10.0
"""
A turn finds its place among racing turns within this time of its arrival, or fails.

Channels give up on a request after 15 s and deliver the activity again; a turn that
fails at 10 s fails while somebody still listens.
"""

LEASE_S = 6.0
"""
How long a committed turn belongs to the attempt that committed it.

Long enough for a handful of slow replies; short enough that whoever waits for a dead
owner still has 4 s of its own deadline left. An owner that needs longer renews it.
"""

CLOCK_TOLERANCE_S = 24.0
"""
By how much the clocks of two instances may differ.

A waiting turn measures the lease with its own clock. Only a turn committed longer ago
than the lease and this tolerance is taken over without waiting. Azure's hosts agree to
well under a second.
"""

SETTLE_S = 4.0
"""How long an owner tries to note that its turn is settled before it leaves that to others."""

SEND_S = 2.0
"""No reply is sent with less than this left of the lease: the lease is renewed first."""

POLL_MIN_S = 0.02
POLL_MAX_S = 0.2
"""Pauses between two looks at the store: they grow from the first to the second, jittered."""

SAY_S = 1.0
"""How long to wait for what may get lost: a typing indicator, say."""

PAUSE_MAX_MS = 2000
"""The longest pause an activity of type "delay" may ask for: it must fit into `SEND_S`."""

DONE_TURNS = 64
"""Committed turns a conversation remembers, to recognise a redelivery. About 4 KB."""

SENDING_CONVERSATIONS = 64
"""Conversations whose last write a shared document remembers. About 2 KB."""

KEPT_ACTIVITY_IDS = 64
"""Ids of sent activities that a conversation translates for bots that stored them."""

SEEN_S = 60.0
"""How long a read may lag behind a write, at most. Replicas of one region: milliseconds."""

DELIVERIES = 3
DELIVERY_S = 30.0
"""
A reply is given up after so many deliveries that ended without an answer, and so much time.

Else one reply that the channel can never take would block its conversation for ever.
"""

DOCUMENT_BYTES = 1_900_000
"""
The largest document a turn may write; Cosmos DB takes 2 MB (2,097,152 bytes).

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits. What is left
pays for what the store adds, and for what other conversations write to a shared document.
"""
