from __future__ import annotations

import pytest
from pydantic import ValidationError

from sloagent.store.settings import StoreSettings


def test_what_is_not_said_has_a_default():
    settings = StoreSettings()
    assert (settings.path, settings.retention, settings.full_rows) == ("sloagent.db", 90 * 86_400, 7 * 86_400)


def test_durations_have_units():
    assert StoreSettings.model_validate({"retention": "30d", "full_rows": "12h"}).full_rows == 12 * 3600


@pytest.mark.parametrize("field", [{"retention": "0s"}, {"full_rows": "-1h"}, {"path": ""}, {"url": "postgresql://x"}])
def test_what_cannot_be_is_refused(field):
    with pytest.raises(ValidationError):
        StoreSettings.model_validate(field)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://sloagent@db.example:5432/soak?sslmode=verify-full",
        "postgres://db/soak",
        "postgresql://one:5432,two:5433/soak?target_session_attrs=read-write",
        "postgresql://[::1]:5432/soak",
        "postgresql:///soak?host=/run/postgresql",
        "postgresql://%2Frun%2Fpostgresql/soak",
    ],
)
def test_an_address_of_a_database_is_taken_as_it_is_and_leaves_no_path(url):
    settings = StoreSettings.model_validate({"url": url})
    assert (settings.url, settings.path) == (url, None)


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"url": "postgresql://me:secret@db/soak"}, "must not carry a password; use password_file or password_env"),
        ({"url": "postgresql://me:@db/soak"}, "must not carry a password"),
        ({"url": "postgresql://db/soak?password=secret"}, "must not carry a password"),
        ({"url": "postgresql://db/soak?%70assword=secret"}, "must not carry a password"),
        ({"url": "postgresql://db/soak?sslpassword=secret"}, "must not carry a password"),
        ({"url": "mysql://db/soak"}, "must be like postgresql://user@host:5432/database"),
        ({"url": "db/soak"}, "must be like postgresql://user@host:5432/database"),
        ({"url": "postgresql://db:port/soak"}, "must be like postgresql://user@host:5432/database"),
        ({"url": "postgresql://db"}, "must name a database"),
        ({"url": "postgresql://db/so ak"}, "must be without spaces"),
        ({"url": "postgresql://[::1/soak"}, "is not an address"),
        ({"url": "postgresql://db/soak?sslmode"}, "is not an address"),
        ({"url": "postgresql://db/soak", "path": "sloagent.db"}, "path and url exclude each other; keep path for an"),
        ({"password_env": "PGPASSWORD"}, "password_file and password_env belong to a url"),
        ({"url": "postgresql://db/soak", "password_env": "A", "password_file": "b"}, "exclude each other; keep one"),
        ({"url": "postgresql://db/soak", "timeout": "10ms"}, "greater than or equal to 1"),
        ({"path": None}, "needs a path or a url"),
    ],
)
def test_a_place_that_cannot_be_meant_is_refused_with_what_to_write(block, sentence):
    with pytest.raises(ValidationError, match=sentence) as caught:
        StoreSettings.model_validate(block)
    assert "secret" not in str(caught.value).split("[type=")[0]
