"""A provisioner of the tests' own, whose kernels run as if on another machine.

What it starts is in no process group of ours and has nothing of our environment, so only the
provisioner can reach it. It writes what it is asked to do into a file.
"""

import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode


class Elsewhere(LocalProvisioner):
    """Starts ipykernel."""

    log_file = Unicode("", config=True)
    refuses = Unicode("", config=True)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        self._write("start")
        if self.refuses:
            raise RuntimeError(self.refuses)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self.parent.kernel_spec.argv = command
        found = await super().pre_launch(**kwargs)
        found["env"] = {
            name: value for name, value in found["env"].items() if not name.startswith("OI_DAEMON")
        }
        return found

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        info = await super().launch_kernel(cmd, **kwargs)
        self._write(f"pid {self.pid}")
        return info

    async def send_signal(self, signum: int) -> None:
        self._write(f"signal {signum}")
        await super().send_signal(signum)

    async def shutdown_requested(self, restart: bool = False) -> None:
        self._write("shutdown")

    async def cleanup(self, restart: bool = False) -> None:
        await super().cleanup(restart)
        self._write("cleanup")

    def _write(self, line: str) -> None:
        with Path(self.log_file).open("a") as file:
            file.write(f"{line} by {os.getpid()}\n")


def offer(folder: Path) -> None:
    """Make a folder that offers the provisioner to Pythons that have it in their path."""
    described = folder / "elsewhere-1.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n")
    (described / "entry_points.txt").write_text(
        "[jupyter_client.kernel_provisioners]\nelsewhere = elsewhere:Elsewhere\n"
    )
    (folder / "elsewhere.py").write_text(Path(__file__).read_text())
