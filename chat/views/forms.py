"""The forms for settings, shared by the page and the admin.

Numbers are plain text fields: a browser's number field silently sends nothing if the entry is not
a number.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings

from chat.errors import TalosError
from chat.llm.catalogue.models import get_catalogue
from chat.models import Conversation
from chat.services import MAX_OUTPUT_TOKENS, MAX_TEMPERATURE
from chat.services.base import MAX_PROMPT

_NO_TEMPERATURE = f"Enter a number from 0 to {MAX_TEMPERATURE}, such as 0.7."
_NO_LIMIT = f"Enter a whole number from 1 to {MAX_OUTPUT_TOKENS:,}, such as 1000."


def _number(mode: str) -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off", "placeholder": "auto"})


def _always(text: str) -> dict[str, str]:
    """One message for every error of a number."""
    return dict.fromkeys(("invalid", "min_value", "max_value"), text)


class Text(forms.CharField):
    """A text of several lines. Browsers send CR and LF at the end of a line."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        too_long = {"max_length": f"Enter at most {MAX_PROMPT:,} characters."}
        super().__init__(
            required=False, max_length=MAX_PROMPT, error_messages=too_long, strip=True, **options
        )

    def to_python(self, value: object) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Leave out `maxlength`: a browser would silently cut pasted text."""
        return {"rows": 3, "dir": "auto"}


class ConversationForm(forms.Form):
    """The model settings of a conversation. Empty fields use the model's defaults."""

    instructions = Text(
        label="Instructions",
        help_text="Sent to the model in this chat, after the system prompt.",
    )
    temperature = forms.FloatField(
        required=False,
        min_value=0,
        max_value=MAX_TEMPERATURE,
        widget=_number("decimal"),
        error_messages=_always(_NO_TEMPERATURE),
        help_text="Lower is more focused, higher more creative. Leave empty for the model's default.",
    )
    max_output_tokens = forms.IntegerField(
        label="Maximum answer length (tokens)",
        required=False,
        min_value=1,
        max_value=MAX_OUTPUT_TOKENS,
        widget=_number("numeric"),
        error_messages=_always(_NO_LIMIT),
        help_text="Leave empty for the model's default.",
    )


class PromptForm(forms.Form):
    """The owner's system prompt. Leave it empty to use the configured one."""

    system_prompt = Text(
        label="System prompt",
        help_text="Sent to the model in every chat. Leave empty to use the default.",
    )

    def __init__(self, *data: Any, **options: Any) -> None:
        super().__init__(*data, **options)
        widget = self.fields["system_prompt"].widget
        widget.attrs["placeholder"] = settings.TALOS_SYSTEM_PROMPT


class ModelForm(forms.Form):
    """The choice of a model."""

    model = forms.CharField(max_length=200)

    def clean_model(self) -> str:
        return check_model(self.cleaned_data["model"])


class ConversationAdminForm(ConversationForm, forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """The settings for staff, with title and model."""

    class Meta:
        model = Conversation
        fields = ("title", "model", "instructions", "temperature", "max_output_tokens")

    def clean_title(self) -> str:
        title: str = " ".join(self.cleaned_data["title"].split())
        if not title and self.initial.get("title"):
            raise forms.ValidationError("Enter a title.")
        return title

    def clean_model(self) -> str:
        model: str = self.cleaned_data["model"]
        return check_model(model) if model and "model" in self.changed_data else model


def check_model(model: str) -> str:
    """Return the model. Raises `ValidationError` if nothing serves it."""
    try:
        async_to_sync(get_catalogue().resolve)(model)
    except TalosError as error:
        raise forms.ValidationError(error.message) from None
    return model
