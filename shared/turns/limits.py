"""
How long, how many, how large: every number of the atomic turn, with its reason.
"""

ANSWER_S = 12.0
"""
Every request is answered within this time of its arrival, except those of `WAITING_S`.

Channels give up on a request after 15 s: Teams delivers the activity again, Web Chat tells the
user to send it again. After this time nothing is begun for the request any more.
"""

WAITING_S = 100.0
"""
The same for a request whose response is the answer: an invoke, or `expectReplies`.

Teams gives up on an invoke after 15 s, but what asks for replies is a program, and .NET's
HttpClient waits for 100 s. Once the caller no longer waits, the run ends.
"""

CLAIM_S = 1.0
"""
A turn that takes longer is written down, so that no other process runs it.

Shorter ones, nearly all, cost no request for it; and two instances that run one activity at once
waste no more than this. A fast turn whose replies take longer gets a bell.
"""

WAIT_S = 1.0
"""How long a request waits for other fast turns before its activity is accepted for later."""

BEAT_S = 5.0
"""How often an owner shows that it is alive: three times between two looks of a bell."""

LOOK_S = 15.0
"""
Between two looks of a bell at the beat of an owner, and before the first.

Longer than `ANSWER_S` plus the lag of a read: the bell that was rung before a claim
finds it, however late in its request's time the claim was written. And longer than `LEASE_S`, so
that a former owner sends nothing any more when the next one begins.
"""

POLL_S = 2.0
"""How often the queue of bells is asked (`maxPollingInterval` in host.json)."""

RINGS = 2
"""Tries to ring a bell, each of which may take `RING_S`: claim and answer wait for them."""

BELL_READ_S = 5.0
"""How long a bell tries to read its conversation before it is rung again."""

AFTERWARDS_S = 2.0
"""When a bell rings for what was just written: a read may lag."""

HAND_OVER_S = 60.0
"""
After this time an owner leaves the rest of the inbox to the next one, between two turns.

So a function runs no longer than this and one turn, however long the inbox is; and a message of
the queue is mostly done before its five minutes are over and it has to be renewed.
"""

TRIES = 3
"""How many times an entry of the inbox is run if its process dies in it; then it is dropped."""

INBOX = 250
INBOX_BYTES = 700_000
"""
How many activities a conversation accepts for later, and how large they may be together.

A crowd of 150 at once fits in. The other two thirds of the document are for what the bot keeps.
"""

LOOKS_WITHOUT_STORE = 40
"""
How often an entry is put off because a document that it needs cannot be read: for ten minutes,
since a bell comes back after `LOOK_S`. Then the user is told that something is wrong.

The bot runs again only when the document can be read, since a run may take minutes and money.
"""

OUTLIVING = 100
"""
Turns that one process runs beyond the answer to their request, at most.

The host does not count them as work, and may stop the process; a bell's execution it counts. As
many as it lets in at once (`maxConcurrentRequests` in host.json).
"""

OWNER_S = 120.0
"""
How long an owner tries to write what it has done before it leaves that to a bell.

A run of minutes has been paid for; but no function is held for a store that is away for longer.
"""

TYPING_S = 3.0
"""
Between two typing indicators. The first leaves after `CLAIM_S`.

A client shows one for 3 s, and wants no more (A6000 and A6001 of the Bot Framework's activity
protocol); Teams and Web Chat show it for 5.
"""

LEASE_S = 6.0
"""
How long the owner of a committed turn may send without writing that it still has it.

Long enough for a handful of slow replies. The previous version of this app takes the turn over
when it has seen no sign of its owner for this time.
"""

SEND_S = 2.0
"""No reply is sent with less than this left of the lease: the lease is renewed first."""

POLL_MIN_S = 0.02
POLL_MAX_S = 0.2
"""Pauses between two looks at the store: they grow from the first to the second, jittered."""

WAITING_POLL_MAX_S = 1.0
"""The same for a request of `WAITING_S`, which may wait for a turn of minutes."""

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
is room for them (some 180), and in any case so many of the last.

Channels redeliver within minutes. What asks again after hours is a queue somewhere.
"""

ANSWERS = 8
ANSWER_BYTES = 16_000
"""
Of so many of the last turns, the answers to invokes and for `expectReplies` can be repeated,
as far as there is room for them; the last one always.
"""

MAX_ID_CHARACTERS = 1024
"""Channels' ids of activities are below 200. A longer one is not worth keeping."""

KEPT_ACTIVITY_IDS = 64
"""Ids of sent activities that a conversation translates for bots that stored them."""

KEPT_REMOVALS = 64
"""Properties that were removed from a document, and must not come back by a late change."""

SEEN_DOCUMENTS = 16
RECENT_DOCUMENTS = 250
"""
Documents that a conversation wrote last, and must not read in an older version.

`RECENT_DOCUMENTS` of them if they were written within `LAG_S`: each takes some 100 bytes of the
journal.
"""

LAG_S = 5.0
"""
How long a read may lag behind a write, at most. Replicas of one region: milliseconds.

A document that stays older for longer was deleted or restored by somebody.
"""

WAITING = 250
"""
Requests of one conversation that may wait in one process; any more are refused at once.

Each waits a second or two until it is accepted. The host lets in fewer than this at once.
"""

RUN_S = 600.0
"""
How long a bot may run: a language model with its tools takes a minute or two, seldom five.

Until then the conversation waits for this turn. `functionTimeout` in host.json must be longer than
this plus `HAND_OVER_S`.
"""

RUN_GRACE_S = 1.0
"""How long a bot that is stopped may take to clean up."""

SEND_LIMIT_S = 20.0
"""How long one reply may take, repetitions included, before the turn is left to others."""

RETRIES_S = (5.0, 10.0, 20.0, 30.0)
"""Pauses between deliveries that got nowhere; the last one again and again."""

FRUITLESS_UNCERTAIN = 5
FRUITLESS_UNCERTAIN_S = 120.0
"""
A reply is given up after this many deliveries, over this much time, that ended without an answer.

Otherwise one reply that the channel can never take would block its conversation for ever. The
same holds for a change to another document that fails for a reason which does not pass. Each
delivery may have arrived, so they are few; and a channel that answers 503 for a minute loses none.
"""

FRUITLESS_PASSING = 10
FRUITLESS_PASSING_S = 600.0
"""The same if the channel certainly did not take the reply, or the store cannot be reached."""

CLOCK_TOLERANCE_S = 3 * 3600.0
"""
By how much the clocks of two instances may differ: by some time zones, at worst.

An instance measures the times above by itself. Only one that was not there at the beginning
must believe the clock of another, and adds this.
"""

DOCUMENT_BYTES = 1_900_000
"""
The largest document a turn may write, in bytes as they are sent; Cosmos DB takes 2 MB (2,097,152).

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits. What is left
is for apologies, and for what other conversations write to a shared document.
"""
