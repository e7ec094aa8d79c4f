"""Reads the traits of every device that a driver can be made to believe in."""
import os

from rig import DESKTOP, MOBILE, ROOT, SOFTWARE


def run(rig):
    target = os.path.join(ROOT, "runtime", "gpu", "captured_devices.def")
    rows = []
    for driver in SOFTWARE + DESKTOP + MOBILE:
        done = rig.run(driver, [rig.tool("capture", driver), driver])
        if done.returncode != 0 or not done.stdout.startswith("FF_CAPTURED"):
            print(f"{driver}: {done.stderr.strip().splitlines()[-1:]}")
            return 1
        rows.append(done.stdout)
    with open(target, "w", encoding="utf-8") as out:
        out.write("".join(rows))
    print(f"{len(rows)} devices: {os.path.relpath(target, ROOT)}")
    return 0
