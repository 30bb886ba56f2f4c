"""Drive a headless Chromium through its own debugging pipe: no driver, no further package."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from pathlib import Path

from initmath.reporting.printing import flags

SECONDS = 120.0


class Page:
    """One tab of a Chromium with a fresh profile."""

    def __init__(self, program: str, profile: str) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # Chromium reads commands from descriptor 3 and writes answers to descriptor 4, each ended by a NUL.
        script = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        command = ["bash", "-c", script, program, *flags(profile), "--remote-debugging-pipe", "about:blank"]
        self._process = subprocess.Popen(
            command, pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(to_write)
        self._number, self._rest, self._session = 0, b"", None
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(t["targetId"] for t in targets if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **parameters: object) -> dict[str, object]:
        """Send a command and wait for its answer."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        return self._wait(lambda found: found.get("id") == self._number)

    def _wait(self, wanted) -> dict[str, object]:
        ends = time.monotonic() + SECONDS
        while True:
            while b"\0" in self._rest:
                line, self._rest = self._rest.split(b"\0", 1)
                found = json.loads(line)
                if wanted(found):
                    if "error" in found:
                        raise RuntimeError(found["error"])
                    return found.get("result", found)
            ready, _, _ = select.select([self._from], [], [], max(0.0, ends - time.monotonic()))
            more = os.read(self._from, 1 << 20) if ready else b""
            if not more:
                raise RuntimeError("Chromium does not answer")
            self._rest += more

    def show(self, path: Path, width: int, *, media: str = "screen") -> None:
        """Open a file in a window of so many CSS pixels; narrow ones behave as a phone does."""
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=844,
                  deviceScaleFactor=2 if mobile else 1, mobile=mobile)  # fmt: skip
        self.call("Emulation.setEmulatedMedia", media=media)
        self.call("Page.navigate", url=path.as_uri())
        self._wait(lambda found: found.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> object:
        """Evaluate JavaScript in the page; a promise is awaited."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"])
        return found["result"].get("value")

    def picture(self, path: Path) -> None:
        """Save the whole page as PNG."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
