"""What the system message is made of."""

import pytest

from oi_daemon.model.dialects.instructions import personal
from oi_daemon.settings import Settings


@pytest.mark.parametrize(
    ("system", "added", "message"),
    [
        ("Be brief.", "", "Be brief."),
        ("Be brief.\n", " Use metres. ", "Be brief.\n\nUse metres."),
        ("", "Use metres.", "Use metres."),
    ],
)
def test_a_persons_own_instructions_follow_the_system_message(
    system: str, added: str, message: str
) -> None:
    assert personal(Settings(system_message=system, custom_instructions=added)) == message
