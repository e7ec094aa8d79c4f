"""Drivers in the cache folder, and programs run on one of them."""
import glob
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("VK_DRIVERS_DIR") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vk-drivers")
HEADERS = "/usr/include"

SOFTWARE = "lavapipe-128 lavapipe-256 lavapipe-512 bpo-lavapipe-256 sid-lavapipe-256 swiftshader".split()
DESKTOP = """radv-polaris10 radv-polaris12 radv-vega10 radv-vega20 radv-raven radv-raven2 radv-renoir radv-navi10 radv-navi21
radv-vangogh radv-rembrandt radv-raphael_mendocino radv-navi31 radv-navi33 radv-phoenix radv-strix1 radv-gfx1201
anv-skl anv-cfl anv-icl anv-tgl anv-adl anv-adln anv-dg1 anv-dg2 anv-a380 anv-mtl anv-arl anv-lnl anv-bmg anv-ptl
nvk-kepler nvk-maxwell nvk-pascal nvk-volta nvk-turing nvk-ampere nvk-ada nvk-blackwell
turnip-618 turnip-630 turnip-660 turnip-730 turnip-740 turnip-750 turnip-810 turnip-830 honeykrisp""".split()
MOBILE = "mali-g310 mali-g610 v3d-42 v3d-71 powervr".split()  # under qemu
COLUMNS = "gpu kernels plans models doctor start compile systems".split()
REPRESENTATIVE = "radv-polaris10 radv-navi31 anv-skl anv-bmg nvk-pascal nvk-ampere turnip-740 honeykrisp".split()


class Skipped(Exception):
    """What keeps the suite from running at all."""


class Rig:
    def __init__(self, build):
        self.build = os.path.abspath(build or os.path.join(ROOT, "build", "release"))
        self.work = os.path.join(self.build, "tests", "drivers", "work")
        self.with_driver = os.path.join(HERE, "with-driver")
        self.passed = 0
        self.matrix = {}  # words by row and column

    def note(self, row, column, word):
        self.matrix.setdefault(row, {})[column] = word
        print(f"{row}: {column}: {word}", flush=True)

    def print_matrix(self):
        """Drivers by suites: tests that passed, what a start reached, pipelines compiled."""
        columns = sorted({column for row in self.matrix.values() for column in row}, key=COLUMNS.index)
        order = SOFTWARE + ["bpo-lavapipe-128"] + DESKTOP + MOBILE + ["aarch64", "windows"]
        rows = sorted(self.matrix, key=lambda row: (order.index(row.split()[0]), row))
        if rows:
            print(f"\n{'driver':32}" + "".join(f"{column:>12}" for column in columns))
        for row in rows:
            print(f"{row:32}" + "".join(f"{self.matrix[row].get(column, '-'):>12}" for column in columns))

    def fetch(self, fast):
        """What is missing, into the cache folder; raises Skipped where that cannot be."""
        if not shutil.which("apt-get"):
            raise Skipped("drivers come as Debian packages, and there is no apt-get here")
        groups = ["mesa-sid", "shim", "swiftshader"] + ([] if fast else ["mesa-bpo", "mesa-arm64"])
        if not fast:
            for tool, package in [("qemu-aarch64-static", "qemu-user-static"),
                                  ("aarch64-linux-gnu-g++", "g++-aarch64-linux-gnu")]:
                if not shutil.which(tool):
                    raise Skipped(f"{tool} is not installed: apt-get install {package}")
        done = subprocess.run([os.path.join(HERE, "install-drivers"), *groups], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise Skipped("drivers cannot be fetched: " + (done.stdout.strip().splitlines() or ["no word why"])[-1])
        os.makedirs(self.work, exist_ok=True)

    def built(self, path):
        """A program of the build."""
        program = os.path.join(self.build, path)
        if not os.path.exists(program):
            raise SystemExit(f"{program} is not built: cmake --build {self.build}")
        return program

    def tool(self, name, driver):
        """One of our tools for the processor that the driver is for."""
        if driver not in MOBILE:
            return self.built("tests/gpu/gpu_probe" if name == "probe" else f"tests/drivers/drivers_{name}")
        program = os.path.join(self.work, f"{name}-arm64")
        gpu = os.path.join(ROOT, "runtime", "gpu")
        if name == "probe":
            sources = [os.path.join(ROOT, "tests", "gpu", "probe.cpp"), os.path.join(ROOT, "tests", "gpu", "shaders.cpp"),
                       *sorted(glob.glob(os.path.join(gpu, "*.cpp")))]
        else:
            sources = [os.path.join(HERE, f"{name}.cpp")]
            if name == "capture":
                sources += [os.path.join(gpu, f"{part}.cpp") for part in
                            "instance device_choice device_query names system_loader validation workarounds".split()]
        if os.path.exists(program) and all(os.path.getmtime(program) > os.path.getmtime(s) for s in sources):
            return program
        include = os.path.join(self.work, "include")  # only these headers of the system, for a cross compiler
        os.makedirs(include, exist_ok=True)
        for part in ("vulkan", "vk_video", "fmt"):
            link = os.path.join(include, part)
            if not os.path.lexists(link):
                os.symlink(os.path.join(HEADERS, part), link)
        flags = ["-O1", "-w", "-static-libstdc++", "-static-libgcc", "-DFMT_HEADER_ONLY", f"-I{ROOT}", f"-I{include}",
                 f"-I{self.build}/tests/gpu"]  # the probe's SPIR-V
        subprocess.run(["aarch64-linux-gnu-g++", "-std=c++20", *flags, *sources, "-o", program, "-ldl"], check=True)
        return program

    def run(self, driver, command, check=None, timeout=600, environment=None, output=subprocess.PIPE):
        """The finished process, what it said in a file if one is given; its status is 124 where time ran out."""
        full = [self.with_driver, *(["--check", check] if check else []), driver, *command]
        try:
            return subprocess.run(full, stdout=output, stderr=subprocess.PIPE, text=True, errors="replace",
                                  timeout=timeout, check=False, env=dict(os.environ, **(environment or {})))
        except subprocess.TimeoutExpired as late:
            return subprocess.CompletedProcess(full, 124, (late.stdout or b"").decode(errors="replace"),
                                               f"not done in {timeout} s")

    def mesa(self):
        """Version of unstable's Mesa as it was fetched."""
        with open(os.path.join(CACHE, "sid.packages"), encoding="utf-8") as packages:
            found = re.search(r"^mesa-vulkan-drivers (\S+)", packages.read(), re.M)
        return found.group(1) if found else "unknown"

    def versions(self):
        return "Mesa " + self.mesa()
