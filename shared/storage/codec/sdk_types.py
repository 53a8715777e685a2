"""
Classes of the Bot Framework SDK that may stand in state: bots store them, and so do its dialogs.

They need no registration. Their name in the store is their path, the same that the stock SDK's own
documents have. None is imported for a bot that has none: dialogs alone take as long to import as
a cold start may.
"""

from functools import cache
from importlib import import_module
from typing import Any

from msrest.serialization import Model

from shared.storage.codec.loaded_classes import class_at
from shared.storage.codec.state_types import E_TAG, Fields, Schema
from shared.storage.codec.unknown_fields import UNKNOWN

_MODELS = ("botbuilder.", "botframework.")
"""Packages whose models, those of msrest, are data: `Activity` and what stands in it, say."""

_PLAIN = {
    "botbuilder.dialogs": (
        "dialog_state.DialogState",
        "dialog_instance.DialogInstance",
        "dialog_event.DialogEvent",
        "dialog_turn_result.DialogTurnResult",
        "persisted_state.PersistedState",
        "choices.choice.Choice",
        "choices.choice_factory_options.ChoiceFactoryOptions",
        "choices.find_choices_options.FindChoicesOptions",
        "choices.find_values_options.FindValuesOptions",
        "choices.found_choice.FoundChoice",
        "choices.found_value.FoundValue",
        "choices.model_result.ModelResult",
        "prompts.datetime_resolution.DateTimeResolution",
        "prompts.oauth_prompt.CallerInfo",
        "prompts.oauth_prompt_settings.OAuthPromptSettings",
        "prompts.prompt_options.PromptOptions",
        "prompts.prompt_recognizer_result.PromptRecognizerResult",
        "skills.begin_skill_dialog_options.BeginSkillDialogOptions",
    ),
    "botbuilder.core": (
        "inspection.inspection_sessions_by_status.InspectionSessionsByStatus",
        "invoke_response.InvokeResponse",
        "skills.bot_framework_skill.BotFrameworkSkill",
        "skills.skill_conversation_reference.SkillConversationReference",
        "teams.teams_sso_token_exchange_middleware._TokenStoreItem",
        "transcript_logger.TranscriptInfo",
    ),
    "botbuilder.ai.qna": (
        "dialogs.qnamaker_dialog_options.QnAMakerDialogOptions",
        "qna_dialog_response_options.QnADialogResponseOptions",
        "qnamaker_options.QnAMakerOptions",
    ),
}
"""By package, the classes that are nothing but their attributes."""

_PATHS = frozenset(f"{package}.{name}" for package, names in _PLAIN.items() for name in names)

_HIDDEN = (E_TAG, UNKNOWN)


@cache
def schema_of_class(cls: type) -> Schema | None:
    """Return how objects of `cls` are stored; None, if it is no data of the SDK's."""
    path = f"{cls.__module__}.{cls.__qualname__}"
    if issubclass(cls, Model) and path.startswith(_MODELS):
        # In the order in which the class sets them.
        return _schema(cls, path, dict.fromkeys(("additional_properties", *cls._attribute_map)))
    return _schema(cls, path, {}) if path in _PATHS else None


def schema_of_name(path: Any) -> Schema | None:
    """
    Return how objects of the class with that path are stored; None, if it is no data of the SDK's.

    A module in the table above is imported if it is installed. Nothing else is.
    """
    if not isinstance(path, str):
        return None
    cls = class_at(path)
    if cls is None and path in _PATHS:
        cls = _imported(path)
    schema = schema_of_class(cls) if cls is not None else None
    return schema if schema is not None and schema.name == path else None


def sdk_state_types() -> tuple[Schema, ...]:
    """
    Return how the SDK's classes are stored, as far as their packages have been imported.

    Nobody has to list them in STATE_TYPES; but a bot that lists one, with `foreign_type`, has it
    stored in its own way.
    """
    classes = {*map(class_at, _PATHS), *_subclasses(Model)}
    schemas = [schema_of_class(cls) for cls in classes if cls is not None]
    found = {schema.name: schema for schema in schemas if schema is not None}
    return tuple(found[name] for name in sorted(found))


def _schema(cls: type, path: str, absent: dict[str, None]) -> Schema:
    """All attributes are stored, except those of a model that are None: it has them anyway."""

    def dump(value: Any) -> Fields:
        return {
            name: attribute
            for name, attribute in vars(value).items()
            if name not in _HIDDEN and not (attribute is None and name in absent)
        }

    def load(fields: Fields) -> Any:
        made: Any = object.__new__(cls)
        # Not by setattr: properties and methods stay what they are.
        vars(made).update(absent | fields)
        return made

    return Schema(
        cls=cls,
        name=path,
        version=1,
        formerly=(),
        migrations={},
        shape=dict[str, Any],
        dump=dump,
        load=load,
    )


def _imported(path: str) -> type | None:
    try:
        import_module(path.rpartition(".")[0])
    except ImportError:
        return None
    return class_at(path)


def _subclasses(cls: type) -> set[type]:
    direct: list[type] = cls.__subclasses__()
    return {*direct, *(inner for one in direct for inner in _subclasses(one))}
