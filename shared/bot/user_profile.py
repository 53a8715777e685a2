"""What is remembered about a user, in all conversations with them."""

from dataclasses import dataclass

from shared.storage import state_type


@state_type("UserProfile", formerly=("data_models.user_profile.UserProfile",))
@dataclass
class UserProfile:
    """A property of the user state."""

    name: str | None = None
    """None until the user has told it."""
