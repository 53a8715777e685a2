"""URLs of settings, as they may be shown."""

from urllib.parse import urlsplit


def address(url: str) -> str:
    """
    Return scheme, host and port of an http or https URL, such as `https://localhost:8081/`.

    The rest is no place to connect to, and may be a secret: a key that was pasted with a
    connection string, or a password before the host.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].partition(';')[0]}/"
