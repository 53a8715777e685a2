"""
The keys that mean something in a stored document, and how others are kept from looking so.

    {"$type": "UserProfile", "$version": 1, ...fields}   a registered object
    {"$type": "$date", "$version": 1, ...}               a value of the standard library (TAGS)
    {"$kept": anything}                                  what could not be read elsewhere (Opaque)
    {"py/object": "module.Class", ...attributes}         an object written by the stock SDK
    {"$type": "Namespace.Class, Assembly", ...}          the same by the SDK for .NET: no $version

A dictionary of the bot's may have such keys too: each is stored with one "$" more in front,
"py/x" as "$py/x", "$type" as "$$type" and "$$type" as "$$$type". All other keys, "$x" and
"$turns" among them, are stored as they are.
"""

TYPE = "$type"
VERSION = "$version"
KEPT = "$kept"

TUPLE = "$tuple"
SET = "$set"
FROZENSET = "$frozenset"
DICT = "$dict"
"""A dictionary with keys that are not texts."""
ENUM = "$enum"
NAMED_TUPLE = "$namedtuple"

TAGS = frozenset(
    {
        *("$date", "$time", "$datetime", "$timedelta", "$timezone"),
        *("$decimal", "$uuid", "$bytes"),
        *(TUPLE, SET, FROZENSET, DICT, ENUM, NAMED_TUPLE),
    }
)
"""What `$type` may be besides the name of a registered class: see tagged_values."""

TAG_VERSION = 1

TURNS = "$turns"
"""The one property that is the app's own; it may have values of other documents in it."""

LEGACY_PREFIX = "py/"


def is_tag_like(key: str) -> bool:
    """Whether `key` is a tag, or a tag with any number of "$" in front."""
    bare = key.lstrip("$")
    return bare.startswith(LEGACY_PREFIX) or (
        key[:1] == "$" and bare in ("type", "version", "kept")
    )


def escape(key: str) -> str:
    """Return what `key`, from a dictionary of the bot's, is stored as."""
    return f"${key}" if is_tag_like(key) else key


def unescape(key: str) -> str:
    """Undo `escape`."""
    return key[1:] if key[:1] == "$" and is_tag_like(key[1:]) else key
