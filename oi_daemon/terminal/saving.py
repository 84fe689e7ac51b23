"""Keeps settings that were chosen in the terminal for the next start."""

from oi_daemon.errors import OIError
from oi_daemon.settings.file import save_setting
from oi_daemon.settings.shapes import SettingsDict
from oi_daemon.terminal.printing import print_text, print_warning


def save_settings(settings: SettingsDict) -> None:
    """Save the settings in the settings file, and print where.

    If that fails, a warning says why: the settings then hold for this conversation only.
    """
    try:
        paths = {save_setting(name, value) for name, value in settings.items()}
    except OIError as error:
        print_warning(str(error))
    else:
        print_text(
            f"Saved in {paths.pop()}\nwhich only you can read. `interpreter --config` opens it.\n"
        )
