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
