"""URLs from the settings, in a form that is safe to show."""

from urllib.parse import urlsplit


def address(url: str) -> str:
    """
    Return scheme, host and port of an http or https URL, such as `https://localhost:8081/`.

    The rest is left out, since it may be a secret: a key that was pasted along with a
    connection string, or a password in front of the host.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].partition(';')[0]}/"
