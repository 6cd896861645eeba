"""The blocks `alertmanagers` and `webhooks` of the agent's file: who is told of alerts, and how each is reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from sloagent.peer.settings import HTTPConfig, http_url
from sloagent.settings import Duration, Settings
from sloagent.sinks.relabel import RelabelConfig
from sloagent.sinks.webhook_template import check_template


class _Alertmanager(Settings):
    """What comes before the fields of `http_config`, wherever the settings are shown."""

    url: str
    path_prefix: str = ""
    timeout: Duration = Field(default=10.0, gt=0)
    alert_relabel_configs: tuple[RelabelConfig, ...] = ()

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        url = http_url(value, "url").rstrip("/")
        if url.endswith("/api/v2/alerts"):
            raise ValueError("url is the address of Alertmanager itself; leave /api/v2/alerts away")
        return url

    @field_validator("path_prefix")
    @classmethod
    def _check_prefix(cls, value: str) -> str:
        path = value.strip("/")
        if not path.isprintable() or any(c in path for c in "?#%\\ ") or not path.isascii():
            raise ValueError("path_prefix must be a plain path, such as /alertmanager")
        return f"/{path}" if path else ""


class AlertmanagerSettings(HTTPConfig, _Alertmanager):
    """One Alertmanager, in the fields of Prometheus's own `alertmanager_config`; of a cluster, one for each member."""

    @property
    def receiver(self) -> str:
        """The name under which it is known: its address."""
        return self.url + self.path_prefix


class _Webhook(Settings):
    """What comes before the fields of `http_config`, wherever the settings are shown."""

    url: SecretStr | None = None
    url_file: Path | None = None
    url_env: str | None = None
    name: str = ""
    timeout: Duration = Field(default=10.0, gt=0)
    format: Literal["json", "slack"] = "json"
    template: Path | None = None
    send_resolved: bool = True

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: SecretStr | None) -> SecretStr | None:
        return SecretStr(webhook_address(value.get_secret_value())) if value is not None else None

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not value.isprintable() or value != value.strip() or "://" in value:
            raise ValueError("name must be a printable word, such as on-call")
        return value

    @model_validator(mode="after")
    def _place_and_form(self) -> Self:
        given = [field for field in ("url", "url_file", "url_env") if getattr(self, field) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"a webhook needs exactly one of url, url_file, url_env; found {found}")
        if not self.name and self.url is None:
            raise ValueError("a webhook whose address is not in the file needs a name; write name: on-call")
        if self.template is not None:
            if self.format != "json":
                raise ValueError(f"template and format: {self.format} exclude each other; keep one")
            check_template(self.template)
        return self


class WebhookSettings(HTTPConfig, _Webhook):
    """A webhook: an address that is told of alerts with one POST for those that changed together."""

    @property
    def receiver(self) -> str:
        """The name under which it is known: the one given, or the host of its address. Never a part that may be secret."""
        address = self.url.get_secret_value() if self.url is not None else ""
        return self.name or urlsplit(address).netloc


def webhook_address(text: str) -> str:
    """The address of a webhook, in which a query is right. Raises ValueError, without any part of it."""
    address, mark, query = text.partition("?")
    try:
        http_url(address, "url")
    except ValueError as error:
        if "not an address" in str(error):  # the port's digits may be those of a secret
            raise ValueError("url is not an address; write it like https://hooks.example.com/services/…") from None
        raise
    if "#" in query or not query.isprintable() or " " in query:
        raise ValueError("url must be an address without fragment or spaces")
    return address + mark + query


def check_names(receivers: Sequence[AlertmanagerSettings | WebhookSettings]) -> None:
    """Raises ValueError where two receivers have one name: what each was told could not be told apart."""
    seen: set[str] = set()
    for settings in receivers:
        name = settings.receiver
        if name in seen:
            way = "give each a name" if isinstance(settings, WebhookSettings) else "leave one out"
            raise ValueError(f"two receivers of alerts are called {name}; {way}")
        seen.add(name)
