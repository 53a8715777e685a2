"""
How long, how many, how large: every number of the atomic turn, with its reason.
"""

ANSWER_S = 12.0
"""
Every request is answered within this time of its arrival, but for those of `WAITING_S`.

Channels give up on a request after 15 s: Teams delivers the activity again, Web Chat tells the
user to. After it nothing is begun for the request any more.
"""

WAITING_S = 100.0
"""
The same for a request whose response is the answer: an invoke, or `expectReplies`.

Teams gives up on an invoke after 15 s, but what asks for replies is a program, and .NET's
HttpClient waits for 100 s. Whoever does not wait any more is run for no longer.
"""

CLAIM_S = 1.0
"""
A turn that takes longer is written down, and run by nobody else.

Shorter ones, nearly all, cost no request for it; and two instances that run one activity at once
waste no more than this. A fast turn whose replies take longer gets a bell.
"""

WAIT_S = 1.0
"""So long a request waits for other fast turns; then its activity is accepted for later."""

BEAT_S = 5.0
"""An owner shows so often that it is alive: three times between two looks of a bell."""

LOOK_S = 15.0
"""
Between two looks of a bell at the beat of an owner, and before the first.

Longer than `ANSWER_S` and the lag of a read together: the bell that was rung before a claim
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
An owner leaves what stands in the inbox to the next one after this time, between two turns.

So a function runs no longer than this and one turn, however long the inbox is; and a message of
the queue is mostly done before its five minutes are over and it has to be renewed.
"""

TRIES = 3
"""An entry of the inbox is run so many times if its process dies in it, and then dropped."""

INBOX = 250
INBOX_BYTES = 700_000
"""
How many activities a conversation accepts for later, and how large they may be together.

A crowd of 150 at once finds room. The other two thirds of the document are for what the bot keeps.
"""

LOOKS_WITHOUT_STORE = 40
"""
So often an entry is put off because a document that it needs cannot be read: for ten minutes,
since a bell comes back after `LOOK_S`. Then the user hears that something is wrong.

The bot runs again only when the document is there, since its run may take minutes and cost money.
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

A run of minutes has been paid for; but for a store that is away longer nobody holds a function.
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

Long enough for a handful of slow replies. Whoever works with the version of this app before
this one takes the turn over when it has seen no sign of its owner for this time.
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
RECENT_DOCUMENTS = 250
"""
Documents that a conversation wrote last, and is not to read older than that.

The latter where they were written within `LAG_S`: each takes some 100 bytes of the journal.
"""

LAG_S = 5.0
"""
How long a read may lag behind a write, at most. Replicas of one region: milliseconds.

A document that stays older for longer was deleted or restored by somebody.
"""

WAITING = 250
"""
Requests of one conversation that may wait in one process; who comes then is sent away at once.

Each waits a second or two until it is accepted. The host lets in fewer than this at once.
"""

RUN_S = 600.0
"""
How long a bot may run: a language model with its tools takes a minute or two, seldom five.

Until then the conversation waits for this turn. `functionTimeout` in host.json must be longer than
this and `HAND_OVER_S` together.
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
A reply is given up after so many deliveries in so much time that ended without an answer.

Else one reply that the channel can never take would block its conversation for ever. The
same holds for a change to another document that fails for a reason which does not pass. Each
delivery may have arrived, so they are few; and a channel that answers 503 for a minute loses none.
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
The largest document a turn may write, in bytes as they are sent; Cosmos DB takes 2 MB (2,097,152).

https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits. What is left
is for apologies, and for what other conversations write to a shared document.
"""
