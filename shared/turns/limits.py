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

SETTLE_S = 4.0
"""How long an owner tries to note that its turn is settled before it leaves that to others."""

SEND_S = 2.0
"""No reply is sent with less than this left of the lease: the lease is renewed first."""

POLL_MIN_S = 0.02
POLL_MAX_S = 0.2
"""Pauses between two looks at the store: they grow from the first to the second, jittered."""

LAST_LOOK_S = 0.05
"""For how long, after its time is up, an answer is looked for that may have arrived already."""

SAY_S = 1.0
"""How long to wait for what may get lost: a typing indicator, say."""

PAUSE_MAX_MS = 2000
"""The longest pause an activity of type "delay" may ask for: it must fit into `SEND_S`."""

DONE_S = 24 * 3600
DONE_BYTES = 8_000
DONE_TURNS = 16
"""
By which turns a conversation recognises a redelivery: those of the last day, as far as there
is room for them (some 200), and in any case so many of the last.

Channels redeliver within minutes. What asks again after hours is a queue somewhere.
"""

ANSWERS = 8
ANSWER_BYTES = 16_000
"""
Of so many of the last turns, the answers to invokes and for `expectReplies` can be repeated,
as far as there is room for them; the last one always.
"""

MAX_ID_CHARACTERS = 1024
"""The channels' ids of activities are below 200. What is longer is none that is worth keeping."""

KEPT_ACTIVITY_IDS = 64
"""Ids of sent activities that a conversation translates for bots that stored them."""

KEPT_REMOVALS = 64
"""Properties that were removed from a document, and shall not come back by a late change."""

SEEN_DOCUMENTS = 16
"""Documents that a conversation wrote last, and is not to read older than that."""

LAG_S = 5.0
"""
How long a read may lag behind a write, at most. Replicas of one region: milliseconds.

A document that stays older for longer was deleted or restored by somebody.
"""

WAITING = 32
"""
Turns of one conversation that may wait in one process; who comes then is sent away at once.

They hold requests that other conversations need: the host runs `maxConcurrentRequests`.
"""

RUN_S = 100.0
"""
How long a bot may run.

Channels give up after 15 s, and Azure closes the request after 230 s: nobody gets to know of
what takes longer. Until then the conversation waits for this turn.
"""

RUN_GRACE_S = 1.0
"""How long a bot that is stopped may take to clean up."""

SEND_LIMIT_S = 20.0
"""How long one reply may take, repetitions included, before the turn is left to others."""

FRUITLESS_UNCERTAIN = 3
FRUITLESS_UNCERTAIN_S = 30.0
"""
A reply is given up after so many deliveries in so much time that ended without an answer.

Else one reply that the channel can never take would block its conversation for ever. The
same holds for a change to another document that fails for a reason which does not pass.
"""

FRUITLESS_PASSING = 10
FRUITLESS_PASSING_S = 600.0
"""The same where the channel certainly did not take the reply, or the store is away."""

CLOCK_TOLERANCE_S = 3 * 3600.0
"""
By how much the clocks of two instances may differ: by some time zones, at worst.

An instance measures the times above by itself. Only one that was not there at the beginning
must believe the clock of another, and adds this.
"""

DOCUMENT_BYTES = 1_900_000
"""
The largest document a turn may write; Cosmos DB takes 2 MB (2,097,152 bytes).

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits. What is left
pays for what the store adds, and for what other conversations write to a shared document.
"""
