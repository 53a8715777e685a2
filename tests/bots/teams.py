"""
A bot in Microsoft Teams: members, mentions, cards that change, threads, meetings, files.

The ground that Microsoft's samples 15, 56, 57 and 58 cover.
"""

from typing import Any

from botbuilder.core import (
    Bot,
    CardFactory,
    ConversationState,
    MessageFactory,
    Storage,
    TurnContext,
)
from botbuilder.core.teams import TeamsActivityHandler, TeamsInfo
from botbuilder.schema import (
    ActionTypes,
    Activity,
    Attachment,
    AttachmentData,
    CardAction,
    ConversationParameters,
    HeroCard,
    Mention,
)
from botbuilder.schema.teams import (
    ChannelInfo,
    FileConsentCard,
    FileConsentCardResponse,
    TeamInfo,
    TeamsChannelAccount,
)

STATE_TYPES: tuple[type, ...] = ()


class TeamsBot(TeamsActivityHandler):
    """Does in a turn what its text says, and answers what Teams asks by invokes."""

    def __init__(self, state: ConversationState) -> None:
        self._state = state
        self._count = state.create_property("count")
        self._card_id = state.create_property("card_id")

    async def on_turn(self, turn_context: TurnContext) -> None:
        await super().on_turn(turn_context)
        await self._state.save_changes(turn_context)

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        TurnContext.remove_recipient_mention(turn_context.activity)
        commands = {
            "who am i": self._tell_who,
            "everybody": self._tell_everybody,
            "mention me": self._mention,
            "team": self._tell_the_team,
            "meeting": self._tell_the_meeting,
            "card": self._send_card,
            "count": self._update_card,
            "delete": self._delete_card,
            "thread": self._start_thread,
            "message all": self._message_all,
            "file": self._offer_file,
            "upload": self._upload,
        }
        command = commands.get(turn_context.activity.text.strip(), self._mention)
        await command(turn_context)

    # Messages

    async def _tell_who(self, turn_context: TurnContext) -> None:
        sender = turn_context.activity.from_property.id
        member: TeamsChannelAccount = await TeamsInfo.get_member(turn_context, sender)
        await turn_context.send_activity(f"You are {member.given_name}, {member.email}.")
        try:
            await TeamsInfo.get_member(turn_context, "stranger")
        except Exception as error:
            await turn_context.send_activity(f"{type(error).__name__}: {error}")

    async def _tell_everybody(self, turn_context: TurnContext) -> None:
        token, names = None, []
        while True:
            page = await TeamsInfo.get_paged_members(turn_context, token, 1)
            names += [member.name for member in page.members]
            token = page.continuation_token
            if not token:
                break
        await turn_context.send_activity(f"Here are {names}.")
        members = await TeamsInfo.get_members(turn_context)
        await turn_context.send_activity(f"They are {len(members)}.")

    async def _mention(self, turn_context: TurnContext) -> None:
        sender = turn_context.activity.from_property
        mention = Mention(mentioned=sender, text=f"<at>{sender.name}</at>", type="mention")
        reply = MessageFactory.text(f"Hello {mention.text}")
        reply.entities = [Mention().deserialize(mention.serialize())]
        await turn_context.send_activity(reply)

    async def _tell_the_team(self, turn_context: TurnContext) -> None:
        details = await TeamsInfo.get_team_details(turn_context)
        channels = await TeamsInfo.get_team_channels(turn_context)
        names = [channel.name for channel in channels]
        await turn_context.send_activity(f"{details.name} have {names}.")

    async def _tell_the_meeting(self, turn_context: TurnContext) -> None:
        info = await TeamsInfo.get_meeting_info(turn_context, "m1")
        participant = await TeamsInfo.get_meeting_participant(turn_context, "m1", "ada", "tenant")
        await turn_context.send_activity(f"{info.details['title']}: {participant.user is None}.")

    async def _send_card(self, turn_context: TurnContext) -> None:
        response = await turn_context.send_activity(await self._card(turn_context))
        await self._card_id.set(turn_context, response.id)

    async def _update_card(self, turn_context: TurnContext) -> None:
        card = await self._card(turn_context)
        card.id = await self._card_id.get(turn_context)
        await turn_context.update_activity(card)

    async def _delete_card(self, turn_context: TurnContext) -> None:
        await turn_context.delete_activity(await self._card_id.get(turn_context))

    async def _card(self, turn_context: TurnContext) -> Activity:
        count = (await self._count.get(turn_context) or 0) + 1
        await self._count.set(turn_context, count)
        button = CardAction(
            type=ActionTypes.message_back, title="Count", text="count", value={"count": count}
        )
        return MessageFactory.attachment(
            CardFactory.hero_card(HeroCard(title=f"Updated {count} times", buttons=[button]))
        )

    async def _start_thread(self, turn_context: TurnContext) -> None:
        sent: list[str] = []

        async def callback(later: TurnContext) -> None:
            sent.append(later.activity.conversation.id)
            await later.send_activity("The second of the thread.")

        await turn_context.adapter.create_conversation(
            "",
            callback,
            ConversationParameters(
                is_group=True,
                channel_data={"channel": {"id": "19:news"}},
                activity=MessageFactory.text("The first of the thread."),
                bot=turn_context.activity.recipient,
            ),
            "msteams",
            turn_context.activity.service_url,
        )
        await turn_context.send_activity(f"Begun: {sent}.")

    async def _message_all(self, turn_context: TurnContext) -> None:
        for member in await TeamsInfo.get_members(turn_context):

            async def say(later: TurnContext, name: str = member.name) -> None:
                await later.send_activity(f"Hello {name}. I am a Teams bot.")

            await turn_context.adapter.create_conversation(
                "",
                say,
                ConversationParameters(
                    is_group=False,
                    topic_name=member.id,
                    bot=turn_context.activity.recipient,
                    members=[member],
                    tenant_id="tenant",
                ),
                "msteams",
                turn_context.activity.service_url,
            )
        await turn_context.send_activity("All messages have been sent.")

    async def _offer_file(self, turn_context: TurnContext) -> None:
        consent = FileConsentCard(
            description="A picture", size_in_bytes=5, accept_context={"name": "picture.png"}
        )
        card = Attachment(
            content=consent.serialize(),
            content_type="application/vnd.microsoft.teams.card.file.consent",
            name="picture.png",
        )
        await turn_context.send_activity(MessageFactory.attachment(card))

    async def _upload(self, turn_context: TurnContext) -> None:
        # As in sample 15, but for where the client comes from: the stock CloudAdapter has none.
        factory = turn_context.turn_state[turn_context.adapter.CONNECTOR_FACTORY_KEY]
        connector = await factory.create(turn_context.activity.service_url, None)
        response = await connector.conversations.upload_attachment(
            turn_context.activity.conversation.id,
            AttachmentData(
                name="picture.png",
                original_base64=b"bytes",
                thumbnail_base64=b"bytes",
                type="image/png",
            ),
        )
        base_uri = connector.config.base_url.rstrip("/")
        url = f"{base_uri}/v3/attachments/{response.id}/views/original"
        picture = Attachment(name="picture.png", content_type="image/png", content_url=url)
        await turn_context.send_activity(MessageFactory.attachment(picture))

    # What happens in Teams

    async def on_teams_members_added(
        self,
        teams_members_added: list[TeamsChannelAccount],
        team_info: TeamInfo,
        turn_context: TurnContext,
    ) -> None:
        names = [member.name for member in teams_members_added]
        await turn_context.send_activity(f"Welcome to {team_info.name}, {names}.")

    async def on_teams_channel_created(
        self, channel_info: ChannelInfo, team_info: TeamInfo, turn_context: TurnContext
    ) -> None:
        await turn_context.send_activity(f"{channel_info.name} is new in {team_info.name}.")

    async def on_teams_meeting_start_event(self, meeting: Any, turn_context: TurnContext) -> None:
        await turn_context.send_activity(f"{meeting['Title']} starts.")

    async def on_installation_update(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity(f"Installation: {turn_context.activity.action}.")

    async def on_teams_file_consent_accept(
        self, turn_context: TurnContext, file_consent_card_response: FileConsentCardResponse
    ) -> None:
        await turn_context.send_activity(f"{file_consent_card_response.context['name']} may come.")

    async def on_teams_file_consent_decline(
        self, turn_context: TurnContext, file_consent_card_response: FileConsentCardResponse
    ) -> None:
        await turn_context.send_activity("Then not.")


def _consent(action: str) -> dict[str, Any]:
    value = {"action": action, "context": {"name": "picture.png"}}
    return {"type": "invoke", "name": "fileConsent/invoke", "value": value}


_TEAM = {"team": {"id": "19:team", "name": "Engineers"}, "channel": {"id": "19:new", "name": "New"}}

SCRIPT = (
    {"type": "installationUpdate", "action": "add"},
    {
        "type": "conversationUpdate",
        "membersAdded": [{"id": "bob"}],
        "channelData": {"eventType": "teamMemberAdded", **_TEAM},
    },
    {
        "type": "conversationUpdate",
        "channelData": {"eventType": "channelCreated", **_TEAM},
    },
    {
        "type": "message",
        "text": "<at>Bot</at> who am i",
        "channelData": {},
        "entities": [
            {"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "bot", "name": "Bot"}}
        ],
    },
    {"type": "message", "text": "everybody", "channelData": {}},
    "mention me",
    {"type": "message", "text": "team", "channelData": _TEAM},
    {"type": "message", "text": "meeting", "channelData": {}},
    "card",
    "count",
    "count",
    "delete",
    "thread",
    {"type": "message", "text": "message all", "channelData": {}},
    "file",
    _consent("accept"),
    _consent("decline"),
    "upload",
    {
        "type": "event",
        "name": "application/vnd.microsoft.meetingStart",
        "value": {"Title": "Stand-up", "Id": "m1", "StartTime": "2026-11-20T09:00:00Z"},
    },
)
"""What a user sends, one after the other."""

PHRASES = ("mention me", "card")
"""What users say in simulated histories, whose channel knows activities only."""


def create_bot(storage: Storage) -> Bot:
    """Make a bot that counts in `storage`."""
    return TeamsBot(ConversationState(storage))
