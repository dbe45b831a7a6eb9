"""The system checks, one test per id."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from chat.checks import is_loopback, others_are_admins


def found() -> set[str | None]:
    return {message.id for message in run_checks() if (message.id or "").startswith("talos.")}


def test_the_defaults_pass() -> None:
    assert not found()


def test_e001_only_loopback_is_served_without_a_login(settings: Settings) -> None:
    settings.HOST = "0.0.0.0"  # noqa: S104  # refused
    assert found() == {"talos.E001"}


@pytest.mark.parametrize(
    "hosts",
    [["*"], ["localhost", "*"], [], [".example.com"], ["http://a.example"], ["a:8000"], ["a b"]],
)
def test_e002_allowed_hosts_are_explicit(settings: Settings, hosts: list[str]) -> None:
    settings.ALLOWED_HOSTS = hosts
    assert found() == {"talos.E002"}


def test_addresses_and_names_are_allowed_hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [
        "localhost",
        "127.0.0.2",
        "[::1]",
        "::1",
        "talos.example.com",
        "my_pc",
    ]
    assert not found()


def test_w001_redis_is_not_used(settings: Settings) -> None:
    settings.REDIS_URL_IS_SET = True
    assert found() == {"talos.W001"}


def test_w002_unknown_variables(settings: Settings) -> None:
    settings.UNKNOWN_VARIABLES = {"TALOS_PROT": None}
    assert found() == {"talos.W002"}


def test_w003_deploying_with_other_admins_causes_a_warning(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "::1", "talos.example.com"]
    (warning,) = others_are_admins(None)
    assert warning.id == "talos.W003"
    assert "has talos.example.com:" in warning.msg


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
def test_loopback_hosts_are_recognised(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["::", "", "0.0.0.0", "10.0.0.1", "localhost.example", "host"])  # noqa: S104  # not bound
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)
