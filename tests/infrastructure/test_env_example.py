"""`.env.example` and `compose.yaml` say true things about the settings."""

import re
from pathlib import Path

import pytest

from meetings.infrastructure.provider_settings import NAMES
from meetings.infrastructure.settings import Environment, Settings, read_settings

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MEETINGS_{name.upper()}", raising=False)
        monkeypatch.delenv(f"MEETINGS_{name.upper()}_FILE", raising=False)


@pytest.mark.parametrize("file", [".env.example", "compose.yaml"])
def test_every_setting_that_is_named_exists(file: str) -> None:
    named = set(re.findall(r"^[\s#]*MEETINGS_([A-Z_]+)[=:]", (ROOT / file).read_text(), re.MULTILINE))
    assert named != set()
    of_providers = {name.upper() for name in NAMES}
    assert named - {name.upper() for name in Settings.model_fields} - of_providers == set()


def test_the_example_starts_a_production_server_once_its_secrets_are_filled_in(tmp_path: Path) -> None:
    key = re.search(r"^MEETINGS_SECRET_KEYS=$", EXAMPLE, re.MULTILINE)
    assert key is not None, "the example must not bring a key of its own"
    filled_in = EXAMPLE.replace("MEETINGS_SECRET_KEYS=\n", f"MEETINGS_SECRET_KEYS=2026a:{'A' * 43}=\n")
    (tmp_path / ".env").write_text(filled_in)

    settings = read_settings(env_file=tmp_path / ".env")

    assert settings.environment is Environment.PRODUCTION
    assert (settings.smtp().host, settings.smtp().port) == ("mail", 1025)
    assert settings.shows_explorer is False
    assert settings.allowed_origins == ()
