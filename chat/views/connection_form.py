"""The form that connects a provider: an address and a key, where they apply."""

from __future__ import annotations

import re
from typing import TypedDict
from urllib.parse import urlsplit

from django import forms
from django.http import QueryDict

from chat.llm.catalogue import addresses
from chat.llm.catalogue.connectable import Connectable
from chat.services import Connected

MAX_KEY = 2000
_UNREADABLE = "This key can no longer be decrypted. Enter it again."
_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class Credentials(TypedDict):
    address: str
    key: str


class ConnectionForm(forms.Form):
    """The form. It never renders the key, not even after an error."""

    address = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url"}),
    )
    key = forms.CharField(
        label="API key",
        required=False,
        max_length=MAX_KEY,
        widget=forms.PasswordInput(attrs=_PLAIN),
    )

    def __init__(
        self, data: QueryDict | None, *, provider: Connectable, stored: Connected | None
    ) -> None:
        super().__init__(data, initial={"address": stored.address if stored else ""})
        self.provider = provider
        self.stored = stored
        if not provider.takes_key:
            del self.fields["key"]
        else:
            self.fields["key"].help_text = self._about_key()
        if not provider.takes_address:
            del self.fields["address"]
        else:
            self._place_address()

    def _place_address(self) -> None:
        field = self.fields["address"]
        field.required = self.provider.needs_address
        field.error_messages["required"] = "Enter the address of the server."
        field.widget.attrs["placeholder"] = self.provider.address
        if not field.required:
            field.help_text = "Leave empty to use the default address."
        else:
            field.help_text = "Usually ends in /v1."

    def _about_key(self) -> str:
        if self.stored and self.stored.is_stored and not self.stored.is_readable:
            return _UNREADABLE
        if self.stored and self.stored.has_key:
            return "A key is stored. Leave empty to keep it."
        if not self.provider.needs_key:
            return "If the server asks for one."
        return "Stored encrypted, and never shown again."

    @property
    def credentials(self) -> Credentials:
        return {
            "address": self.cleaned_data.get("address", ""),
            "key": self.cleaned_data.get("key", ""),
        }

    def clean_address(self) -> str:
        text: str = self.cleaned_data["address"].strip()
        if not text:
            # a local server is searched for at its usual address; a connection stores that one
            return "" if self.provider.takes_key else self.provider.address
        return normalize(text)

    def clean(self) -> None:
        if "address" in self.errors:
            self.data = {**self.data, "address": _without_secrets(self.data.get("address", ""))}

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not key.isascii() or not key.isprintable() or " " in key:
            raise forms.ValidationError(
                "This is not a valid key: it contains a space or an unsupported character."
            )
        return key


def _without_secrets(text: str) -> str:
    """A refused address as the page shows it again, without a password or query."""
    address = re.split(r"[?#]", text)[0]
    if "@" in text[len(address) :]:
        return ""  # ambiguous: a password may contain ? or #, a query may contain @
    return address.rpartition("@")[2]


def normalize(text: str) -> str:
    """Return an address as it is stored. Raises `ValidationError` if it is invalid or holds a secret."""
    if "?" in text or "#" in text:
        raise forms.ValidationError(
            "Leave out ? and everything after it. Enter a key in the key field."
        )
    try:
        address = addresses.normalize(text)
    except ValueError as error:
        raise forms.ValidationError(f"This is not a valid address: {error}.") from None
    if "@" in urlsplit(address).netloc:
        raise forms.ValidationError("Leave the password out of the address: use the key field.")
    return address
