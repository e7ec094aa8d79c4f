"""Other systems: the scripts that build for one and run what they built on this machine."""
import os
import shutil
import signal
import subprocess
import time

from rig import HERE

SYSTEMS = ["aarch64", "windows"]
MOST_SECONDS = 3 * 3600  # a build from nothing, and pipelines under emulation


def run(rig, failures):
    """Skips what lacks packages: these scripts would install them, which is for whoever calls them."""
    for system in SYSTEMS:
        script = os.path.join(HERE, system)
        missing = subprocess.run([script, "--missing"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        if missing:
            rig.note(system, "systems", "SKIPPED")
            print(f"    SKIPPED: {system} needs apt-get install {' '.join(missing)}", flush=True)
            continue
        started = time.monotonic()
        environment = dict(os.environ, FIREFINCH_NATIVE=os.path.join(rig.build, "firefinch"))
        if shutil.which("ccache"):
            environment.setdefault("CMAKE_CXX_COMPILER_LAUNCHER", "ccache")
        log = os.path.join(rig.work, f"{system}.log")
        with open(log, "w", encoding="utf-8") as out:
            running = subprocess.Popen([script, os.path.join(rig.work, system)], stdout=out, stderr=subprocess.STDOUT,
                                       env=environment, start_new_session=True)
            try:
                status = running.wait(MOST_SECONDS)
            except subprocess.TimeoutExpired:
                status = f"none in {MOST_SECONDS} s"
            finally:  # Ctrl-C included, which its session does not see
                if running.poll() is None:
                    os.killpg(running.pid, signal.SIGKILL)  # what it started as well
                    running.wait()
        rig.note(system, "systems", "passed" if status == 0 else "FAILED")
        print(f"    {time.monotonic() - started:.0f} s", flush=True)
        if status == 0:
            rig.passed += 1
        else:
            with open(log, encoding="utf-8", errors="replace") as said:
                failures.append(f"{system}: status {status}: {said.read().strip()[-500:]} ({log})")
