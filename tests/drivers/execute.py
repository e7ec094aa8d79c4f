"""Test programs on drivers that execute, and starts of firefinch on drivers that only pretend to."""
import json
import os
import re
import shutil
import time

from rig import DESKTOP, MOBILE, REPRESENTATIVE, ROOT, SOFTWARE

MESSAGE = re.compile(r"^.*(?:Validation (?:Error|Warning)|VUID-|SYNC-HAZARD|SharedMemoryDataRace|out of bounds).*$", re.M)

# Logits of every version, token by token, by prompts and in batches; what sessions do with them does not depend on the driver.
MODELS = "--source-file=" + ",".join(f"*/{name}_test.cpp" for name in "golden prefill batch".split())
SUITES = {
    "gpu": ("tests/gpu/gpu_tests", []),
    "kernels": ("tests/kernels/kernels_tests", []),
    "plans": ("tests/plans/plans_tests", []),
    "models": ("tests/models/models_tests", [MODELS]),
    "doctor": ("tests/apps/doctor_tests", ["--test-case=*every variant at once*"]),
}
WHOLE = ["gpu", "kernels", "plans", "models"]
# Driver, validation mode (sync is core too; gpu: accesses out of bounds and races on shared memory), suites, profile.
# The gpu mode crashes on unstable's lavapipe, and instruments every pipeline anew: kernels have them all. Backports' Mesa has
# loads of lanes one by one behind branches, which LLVM 15 takes seconds a pipeline for: with four lanes it is the least.
RUNS = [
    ("lavapipe-256", "core", ["doctor"], "dot"),  # all that native has, and integer dot products; the longest of one processor
    ("swiftshader", "sync", WHOLE, "native"),
    ("swiftshader", "gpu", ["kernels"], "native"),
    ("lavapipe-256", "gpu", ["kernels"], "native"),
    ("lavapipe-128", "sync", WHOLE, "native"),
    ("lavapipe-256", "sync", WHOLE, "native"),
    ("lavapipe-512", "sync", WHOLE, "native"),
    ("bpo-lavapipe-128", "sync", WHOLE, "native"),
    ("sid-lavapipe-256", "sync", WHOLE, "native"),
    ("sid-lavapipe-256", "sync", ["kernels", "models"], "matrices"),  # of models their prompts: decode steps launch no matrices
]
PROMPTS = "--source-file=*/prefill_test.cpp"
# Test cases left out of the kernels, and of a driver's models, for their time:
# - that draws are the reference's is tested; how often each comes then depends on no driver;
# - what the gpu mode instruments anew for one more set of constants, it has seen of the same shader; llvmpipe takes minutes for each
#   product of several tokens then, SwiftShader has them all;
# - other constants with four lanes are SwiftShader's to run, whose compiler is quick;
# - prompts and batches of whole models are read where there is most time: elsewhere kernels and plans run what they launch.
DISTRIBUTIONS = ["*chi-square*"]
OTHER_CONSTANTS = ["*any constants*", "*every tile*", "*every workgroup*", "*a workgroup has*"]
FEWER_LANES = ["*fewer lanes*"]
FOUR_LANES = ["lavapipe-128", "bpo-lavapipe-128", "arm64-lavapipe"]
PRODUCTS = ["matmul*", "sparse*", "*all lanes together*"]
WIDE_STEPS = ["wide steps*", "batch*"]
HAS_WIDE_STEPS = ["lavapipe-256", "sid-lavapipe-256"]
# llvmpipe's compiler does without optimising where it takes longer than what it makes.
QUICKLY_COMPILED = [("bpo-lavapipe-128", "sync"), ("lavapipe-256", "gpu")]
# Without a cache folder no first test is made: results that nobody computed would put kernels on a deny list.
NO_CACHE = {"FIREFINCH_CACHE_DIR": ""}
FAST_RUNS = [("swiftshader", "sync", ["gpu", "plans"], "native")]  # test.sh has lavapipe's widths


def left_out(suite, driver, check):
    """Patterns of test cases."""
    if suite == "kernels":
        patterns = DISTRIBUTIONS
        if check == "gpu":
            patterns = patterns + OTHER_CONSTANTS + (PRODUCTS if driver != "swiftshader" else [])
        elif driver in FOUR_LANES:
            patterns = patterns + OTHER_CONSTANTS + FEWER_LANES
        return patterns
    return WIDE_STEPS if suite == "models" and driver not in HAS_WIDE_STEPS else []


def run_suite(rig, driver, check, suite, profile):
    """A word for the matrix, and the sentence of a failure."""
    path, arguments = SUITES[suite]
    if profile == "matrices":
        if suite == "models":
            arguments = [PROMPTS]
        if not matrices_are_chosen(rig, driver):
            return "FAILED", f"{driver}: the profile matrices does not choose them, so that nothing would be shown"
    if excluded := left_out(suite, driver, check):
        arguments = [*arguments, "--test-case-exclude=" + ",".join(excluded)]
    done = rig.run(driver, [rig.built(path), *arguments], check=check, timeout=2400,
                   environment={"FIREFINCH_TEST_VALIDATE": "0", "FIREFINCH_TEST_PROFILE": profile,
                                "FIREFINCH_TEST_ALL_VARIANTS": "1",
                                "VK_DRIVERS_SHADER_CACHE": shader_cache(rig),
                                **({"GALLIVM_PERF": "nopt"} if (driver, check) in QUICKLY_COMPILED else {})})
    said = done.stdout + done.stderr
    messages = MESSAGE.findall(said)
    counted = re.search(r"test cases:\s*(\d+)", said)
    where = f"{suite} on {driver}, {check} validation, profile {profile}"
    if messages:
        return "messages", f"{where}: {len(messages)} validation messages, the first: {messages[0][:300]}"
    if done.returncode != 0:
        errors = [line for line in said.splitlines() if "ERROR" in line or "error" in line]
        return "FAILED", f"{where}: status {done.returncode}: {(errors or said.splitlines()[-3:])[:3]}"
    if not counted or counted.group(1) == "0":
        return "FAILED", f"{where}: no test ran"
    return counted.group(1), None


def matrices_are_chosen(rig, driver):
    """Whether prompts would be read by them, for plain types and block formats."""
    listed = rig.run(driver, [rig.built("firefinch"), "devices", "--profile", "matrices", "--json"], environment=NO_CACHE)
    if listed.returncode != 0:
        return False
    devices = json.loads(listed.stdout)
    device = devices["devices"][devices["default"]]
    return device["variants"]["matmul"] == "f16_coopmat" and device["block_variants"]["matmul"] == "q4_k_coopmat"


def shader_cache(rig):
    """What the suites of one run compile is compiled once for a driver."""
    return os.path.join(rig.work, "shader-cache")


def run_suites(rig, pool, chosen, wanted, fast, failures):
    def one(run):
        driver, check, suite, profile = run
        started = time.monotonic()
        word, sentence = run_suite(rig, driver, check, suite, profile)
        rig.note(f"{driver} {check}" if profile == "native" else f"{driver} {check} {profile}", suite, word)
        print(f"    {time.monotonic() - started:.0f} s" + (f"; {sentence}" if sentence else ""), flush=True)
        return sentence
    shutil.rmtree(shader_cache(rig), ignore_errors=True)
    runs = [(driver, check, suite, profile) for driver, check, suites, profile in (FAST_RUNS if fast else RUNS)
            if not chosen or driver in chosen for suite in suites if suite in wanted]
    for sentence in pool.map(one, runs):
        if sentence:
            failures.append(sentence)
        else:
            rig.passed += 1


# panvk on its shim crashes when a process makes a second device: each of these gets one of its own.
ONE_DEVICE = ["mali-g310", "mali-g610"]


def start(rig, driver, captured):
    """firefinch as on this GPU: device choice, memory plan, pipelines, a prompt's submission. Results stay unwritten there.
    Returns a word for the matrix, and the sentence of a failure."""
    if driver in MOBILE:
        done = rig.run(driver, [rig.tool("capture", driver), driver])
        same = done.stdout == captured_row(driver)
        # The device layer alone: the whole program is built for these processors, and started, by the stage systems.
        for profiles in [["native"], ["floor"]] if driver in ONE_DEVICE else [[]]:
            ran = rig.run(driver, [rig.tool("probe", driver), *profiles], timeout=1200)
            if ran.returncode:
                return "FAILED", f"{driver}: gpu_probe: status {ran.returncode}: {(ran.stdout + ran.stderr).strip()[-300:]}"
        if not same:
            return "differs", f"{driver}: its traits are not those captured (tests/drivers/run --capture)"
        return "device", None
    firefinch = rig.built("firefinch")
    listed = rig.run(driver, [firefinch, "devices", "--json"], environment=NO_CACHE)
    if listed.returncode != 0:
        return "FAILED", f"{driver}: firefinch devices: {listed.stderr.strip()[-300:]}"
    devices = json.loads(listed.stdout)
    device, known = devices["devices"][devices["default"]], captured[driver]
    differing = [name for name, value in known["traits"].items() if device["traits"].get(name) != value]
    differing += [name for name, value in known["variants"].items() if device["variants"].get(name) != value]
    ran = rig.run(driver, [firefinch, "logits", "--tokens-file", ids(rig), "--out", os.path.join(rig.work, f"{driver}.logits"), "-q"],
                  check="core", timeout=1200, environment=NO_CACHE)
    messages = MESSAGE.findall(ran.stdout + ran.stderr)
    if ran.returncode or messages:
        return "FAILED", f"{driver}: firefinch logits: status {ran.returncode}: {(messages or [ran.stderr.strip()])[0][-300:]}"
    if differing:
        return "differs", f"{driver}: {', '.join(differing)} are not as captured (tests/drivers/run --capture)"
    return "whole", None


def ids(rig):
    """The tokens that every driver reads."""
    return os.path.join(rig.work, "ids.txt")


def captured_row(driver):
    """The text of one device in captured_devices.def."""
    with open(os.path.join(ROOT, "runtime", "gpu", "captured_devices.def"), encoding="utf-8") as file:
        for row in file.read().split("FF_CAPTURED(")[1:]:
            if row.startswith(f'"{driver}"'):
                return "FF_CAPTURED(" + row
    return ""


def start_all(rig, pool, chosen, fast, failures):
    drivers = [d for d in (REPRESENTATIVE if fast else SOFTWARE + DESKTOP + MOBILE) if not chosen or d in chosen]
    listed = rig.run("system", [rig.built("firefinch"), "devices", "--profiles", "--json"])
    with open(ids(rig), "w", encoding="utf-8") as file:
        file.write("1 2 3 " * 8)  # a step of many tokens and decode steps
    captured = {profile["name"]: profile for profile in json.loads(listed.stdout)["profiles"] if "traits" in profile}
    if any(driver in MOBILE for driver in drivers):
        for tool in ("capture", "probe"):  # built once
            rig.tool(tool, MOBILE[0])
    for driver, (word, sentence) in zip(drivers, pool.map(lambda driver: start(rig, driver, captured), drivers)):
        rig.note(driver, "start", word)
        if sentence:
            failures.append(sentence)
        else:
            rig.passed += 1
