"""What every compiler makes of the pipelines that its device's traits choose: gates, record, and table.

A pipeline is known by its variant and constants; of each the record keeps six figures, "-" where a driver does not say:
subgroup size, registers (VGPRs, GRFs, ...: they compare within a vendor), spilled registers or bytes of scratch memory, bytes of
code, resident subgroups (of a SIMD, SM or core), and the compiler's own estimate of cycles.
"""
import fnmatch
import hashlib
import json
import os
import re
import subprocess

from rig import DESKTOP, HERE, MOBILE, REPRESENTATIVE, ROOT, SOFTWARE

RECORD = os.path.join(HERE, "record")
EXCEPTIONS = os.path.join(HERE, "spill_exceptions.txt")
DOCUMENT = os.path.join(ROOT, "docs", "devices.md")
BEGIN, END = "<!-- compilers: made by tests/drivers/run --update-table -->\n", "<!-- compilers: end -->\n"
SLOWER = 1.10
MOST_SECONDS = 600  # of a compiler; those under qemu need minutes for all pipelines, and much of it for one is a hang
NOT_FAST = re.compile(r"[a-z0-9_]+\.(bf16|q4_1|q5_0|q5_1|q5_k)")  # differ from their neighbours by a plane or a shift
# What panvk, slow under qemu, is asked for. Of other types only what is another kernel, integer dot products, and of these one format's.
PANVK = re.compile(r"[a-z0-9_]+\.(f16|any|subgroup|floor|q4_k_dot)")

REGISTERS = ["VGPRs", "Number of GPRs", "GPRs", "Registers used", "Max live registers", "Temp count", "Temps",
             "Work registers", "Registers"]
SPILLS = ["Spilled VGPRs", "Spilled SGPRs", "Scratch size", "Spills", "Fills", "Scratch Memory Size", "Spills to memory",
          "Fills from memory", "Scratch", "STP Count", "LDP Count", "TMU Spills", "TMU Fills"]
CODE = ["Code size", "Code Size", "Binary size"]
RESIDENT = ["Subgroups per SIMD", "Max warps/SM", "Max Waves Per Core", "Threads", "Thread Count"]
# Sums, of which the largest counts: Honeykrisp estimates three units that work side by side, Turnip names its stalls.
CYCLES = [["Latency"], ["Cycles"], ["Cycle Count"], ["Static cycle count"], ["ALU"], ["FSCIB"], ["IC"],
          ["Instruction Count", "Estimated cycles stalled on SS", "Estimated cycles stalled on SY"],
          ["Instruction Count", "QPU Read Stalls"]]

# Columns of the table: heading, and what a pipeline's name starts with; the first in a device's list is taken.
COLUMNS = [("mix_project", "mix_project.f16_"), ("project_add", "project_add.f16_"), ("project_add q4_k", "project_add.q4_k_"),
           ("wkv7", "wkv7.f16_"), ("sparse_value", "sparse_value.f16"), ("matmul", "matmul.f16"),
           ("matmul q4_k", "matmul.q4_k"), ("matmul_few", "matmul_few.f16_"), ("wide_wkv7", "wide_wkv7."), ("sample", "sample.")]


class Figures:
    """Six figures of a pipeline, as text."""

    def __init__(self, subgroup="-", registers="-", spills="-", code="-", resident="-", cycles="-"):
        self.all = [subgroup, registers, spills, code, resident, cycles]
        self.subgroup, self.registers, self.spills, self.code, self.resident, self.cycles = self.all

    @staticmethod
    def of(answer):
        statistics = answer["statistics"]

        def first(names):
            return next((str(round(statistics[name])) for name in names if name in statistics), "-")
        spilled = [statistics[name] for name in SPILLS if name in statistics]
        estimated = [sum(statistics[name] for name in names) for names in CYCLES if all(n in statistics for n in names)]
        return Figures(str(answer["subgroup"] or "-"), first(REGISTERS), str(round(sum(spilled))) if spilled else "-",
                       first(CODE), first(RESIDENT), str(round(max(estimated))) if estimated else "-")

    def cell(self):
        return "/".join(self.all)


def name_of(line):
    """A line of a list without the file: what a pipeline is known by."""
    words = line.split()
    return " ".join([words[0], "buffers=" + words[2], "push=" + words[3], "subgroup=" + words[4], *words[5:]])


class Answers:
    """What a driver's compiler said of each pipeline, kept in the build's folder: nothing is asked twice, also where a run was
    ended, until shader, constants or Mesa change."""

    def __init__(self, rig, driver, folder):
        self.mesa, self.folder = rig.mesa(), folder
        self.path, self.asked, self.said = (os.path.join(folder, f"{driver}.{part}") for part in ("answers", "asked", "said"))
        self.by_key = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                self.by_key = json.load(file)
        self.take()

    def key(self, line):
        with open(os.path.join(self.folder, line.split()[1]), "rb") as shader:
            return hashlib.sha256(self.mesa.encode() + line.encode() + shader.read()).hexdigest()[:24]

    def of(self, line):
        return self.by_key.get(self.key(line))

    def take(self, failure=None):
        """What was said since it was asked; `failure` is of the first pipeline without an answer. Returns how many answered."""
        if not os.path.exists(self.said):
            return 0
        with open(self.asked, encoding="utf-8") as lines, open(self.said, encoding="utf-8", errors="replace") as file:
            asked = lines.readlines()
            said = [json.loads(line) for line in file if line.startswith("{") and line.endswith("}\n")]
        if failure and len(said) < len(asked):
            said.append({"line": len(said), "error": failure})
        for answer in said:
            self.by_key[self.key(asked[answer["line"]])] = answer
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.by_key, file)
        os.remove(self.said)
        return len(said)


def ask(rig, driver, folder, lines):
    """Figures by name, and what went wrong."""
    answers = Answers(rig, driver, folder)
    program = rig.tool("compile_pipelines", driver)
    while missing := [line for line in lines if not answers.of(line)]:
        with open(answers.asked, "w", encoding="utf-8") as asked:
            asked.writelines(missing)
        with open(answers.said, "w", encoding="utf-8") as said:
            done = rig.run(driver, [program, answers.asked], timeout=MOST_SECONDS, output=said)
        if done.returncode == 1:
            answers.take()
            return {}, [f"{driver}: {done.stderr.strip()[-300:]}"]
        # The compiler took its process with it, or does not come back. Where time ran out on the way, the next try tells.
        if done.returncode != 124:
            answers.take(f"the compiler ended with status {done.returncode}")
        elif answers.take() == 0:
            with open(answers.said, "w", encoding="utf-8"):
                pass
            answers.take(f"no answer in {MOST_SECONDS} s")
    wrong, figures = [], {}
    for line in lines:
        answer = answers.of(line)
        if "error" in answer:
            wrong.append(f"{driver}: {name_of(line)}: {answer['error']}")
        else:
            figures[name_of(line)] = Figures.of(answer)
    return figures, wrong


def for_panvk(lines):
    """panvk's compiler takes longest for matmul_few of 8 tokens: one width of teams stands for all."""
    seen, kept = set(), []
    for line in lines:
        alike = re.sub(r" 1=\d+", "", line) if line.startswith("matmul_few.") else line  # kSpecLanes
        if PANVK.match(line) and alike not in seen:
            seen.add(alike)
            kept.append(line)
    return kept


def family(driver):
    return driver if driver in ("honeykrisp", "powervr") else driver.split("-")[0]


def read_record():
    """Mesa's version, and figures by driver and name."""
    version, record = None, {}
    if not os.path.isdir(RECORD):
        return version, record
    for file in sorted(os.listdir(RECORD)):
        with open(os.path.join(RECORD, file), encoding="utf-8") as lines:
            version = lines.readline().split()[-1]
            drivers = lines.readline().rstrip("\n").split("\t")[1:]
            for line in lines:
                name, *cells = line.rstrip("\n").split("\t")
                for driver, cell in zip(drivers, cells):
                    if cell:
                        record.setdefault(driver, {})[name] = Figures(*cell.split("/"))
    return version, record


def write_record(version, found):
    os.makedirs(RECORD, exist_ok=True)
    for each in sorted({family(driver) for driver in found}):
        drivers = [driver for driver in found if family(driver) == each]
        names = sorted({name for driver in drivers for name in found[driver]})
        with open(os.path.join(RECORD, f"{each}.tsv"), "w", encoding="utf-8") as out:
            out.write(f"# subgroup/registers/spills/code/resident/cycles by Mesa {version}\n")
            out.write("\t".join(["pipeline", *drivers]) + "\n")
            for name in names:
                cells = [found[driver][name].cell() if name in found[driver] else "" for driver in drivers]
                out.write("\t".join([name, *cells]) + "\n")


def read_exceptions():
    """[driver pattern, pipeline pattern, reason]."""
    rows = []
    with open(EXCEPTIONS, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                patterns, reason = line.split(":", 1)
                rows.append([*patterns.split(), reason.strip()])
    return rows


def check(found, record, complete, exceptions, used):
    """Sentences on what breaks a gate."""
    broken = []
    for driver, figures in found.items():
        recorded, unknown = record.get(driver, {}), []
        for name, now in figures.items():
            if now.spills not in ("-", "0") and driver not in MOBILE:  # those are counted in the table
                rules = [i for i, (drivers, names, _) in enumerate(exceptions)
                         if fnmatch.fnmatch(driver, drivers) and fnmatch.fnmatch(name.split()[0], names)]
                used.update(rules)
                if not rules:
                    broken.append(f"{driver}: {name} spills ({now.spills})")
            before = recorded.get(name)
            if before is None:
                unknown.append(name)
            elif "-" not in (now.cycles, before.cycles) and int(now.cycles) > SLOWER * int(before.cycles):
                broken.append(f"{driver}: {name} takes {now.cycles} cycles by the compiler's estimate, "
                              f"{before.cycles} are recorded")
        if unknown:
            more = f" and {len(unknown) - 1} more are" if len(unknown) > 1 else " is"
            broken.append(f"{driver}: {unknown[0]}{more} not in the record")
        gone = [name for name in recorded if name not in figures] if complete else []
        if gone:
            more = f" and {len(gone) - 1} more are" if len(gone) > 1 else " is"
            broken.append(f"{driver}: {gone[0]}{more} in the record and no longer chosen")
    return broken


def device_names():
    names = {}
    with open(os.path.join(ROOT, "runtime", "gpu", "captured_devices.def"), encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("FF_CAPTURED("):
                words = line.split('"')
                names[words[1]] = words[3]
    return names


def variants_text(names):
    """How rows are read for float16 weights, and what else is told apart: block formats, and products of many tokens."""
    def kind_of(weights):
        return next((kind for kind in ("dot", "address", "subgroup")
                     if any(name.startswith(f"mix_project.{weights}_{kind}") for name in names)), "floor")
    parts = [kind_of("f16")]
    if kind_of("q4_k") != parts[0]:
        parts.append("q4_k " + kind_of("q4_k"))
    for name in names:
        if name.startswith("matmul.f16_coopmat"):
            constants = dict(word.split("=") for word in name.split()[4:])
            parts.append("matrices " + "x".join(constants[i] for i in ("8", "9", "10")))  # kSpecMatrixRows, ...
            break
    return ", ".join(parts)


def table(chosen, found, version, exceptions):
    """`chosen`: names of pipelines by driver, of all captured devices; `found`: figures of those that compilers were asked for."""
    names = device_names()
    lines = [f"Mesa {version}. {sum(map(bool, found.values()))} compilers answer for {sum(map(len, found.values()))} pipelines. Of each pipeline: subgroup size that the compiler took / registers / spilled / bytes of code / "
             "resident subgroups / cycles by its own estimate; `-` where it does not say. \"dot\" before them: a variant with integer "
             "dot products, which is another kernel than its neighbours' in the column. No figures: nobody was asked.\n\n",
             "| profile | device | variants | pipelines | asked | spill | " + " | ".join(heading for heading, _ in COLUMNS) + " |\n",
             "|" + "---|" * (6 + len(COLUMNS)) + "\n"]
    for driver, pipelines in chosen.items():
        figures = found.get(driver, {})
        cells = []
        for _, start in COLUMNS:
            name, first = next(((name, f) for name, f in sorted(figures.items()) if name.startswith(start)), ("", None))
            dot = "dot " if "_dot" in name else ""
            cells.append(dot + first.cell() if first else "")
        spilling = sum(f.spills not in ("-", "0") for f in figures.values())
        unknown = all(f.spills == "-" for f in figures.values())
        lines.append(f"| {driver} | {names.get(driver, '')} | {variants_text(pipelines)} | {len(pipelines)} | "
                     f"{len(figures) or '-'} | {'-' if unknown else spilling} | " + " | ".join(cells) + " |\n")
    if exceptions:
        lines.append("\nSpills that stay, with their reasons:\n\n")
        lines += [f"- `{names_}` on `{drivers}`: {reason}\n" for drivers, names_, reason in exceptions]
    return "".join(lines)


def write_table(text):
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + text + "\n" + END + after)


def run(rig, pool, chosen, fast, update, failures):
    drivers = [d for d in (REPRESENTATIVE if fast else DESKTOP + MOBILE) if not chosen or d in chosen]
    folder = os.path.join(rig.work, "pipelines")
    listed = SOFTWARE + DESKTOP + MOBILE if update else drivers
    subprocess.run([rig.built("tests/drivers/drivers_list_pipelines"), folder, *listed], check=True)
    chosen_names = {}
    for driver in listed:
        with open(os.path.join(folder, f"{driver}.pipelines"), encoding="utf-8") as file:
            chosen_names[driver] = [name_of(line) for line in file]
    for driver in drivers:
        rig.tool("compile_pipelines", driver)

    def one(driver):
        path = os.path.join(folder, f"{driver}.pipelines")
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
        if driver.startswith("mali-"):
            lines = for_panvk(lines)
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(lines)
        elif fast:
            lines = [line for line in lines if not NOT_FAST.match(line)]
        return ask(rig, driver, folder, lines)
    slow_first = sorted(drivers, key=lambda driver: driver not in MOBILE)
    answers = dict(zip(slow_first, pool.map(one, slow_first)))
    found = {}
    wrong = []
    for driver in drivers:
        found[driver], errors = answers[driver]
        wrong += errors
        rig.note(driver, "compile", f"{len(errors)} FAILED" if errors else str(len(found[driver])))
        rig.passed += len(found[driver])
    version, record = read_record()
    exceptions, used = read_exceptions(), set()
    if update:
        for sentence in check(found, record, True, exceptions, used) if record else []:
            print("changed: " + sentence)
        kept = {driver: found.get(driver) or record.get(driver) for driver in DESKTOP + MOBILE}
        kept = {driver: figures for driver, figures in kept.items() if figures}
        if set(kept) != set(found) and version != rig.mesa():
            raise SystemExit(f"The record is of Mesa {version}, here is {rig.mesa()}: leave out --drivers")
        write_record(rig.mesa(), kept)
        write_table(table(chosen_names, kept, rig.mesa(), exceptions))
        version, record = read_record()
    broken = check(found, record, not fast, exceptions, used)
    if not fast and not chosen:
        broken += [f"spill_exceptions.txt: {drivers_} {names} excuses nothing any more"
                   for i, (drivers_, names, _) in enumerate(exceptions) if i not in used]
    if broken and version != rig.mesa() and fast:
        # Unstable moved: then it is the compiler that changed. --all tells, and --update-table takes note.
        print(f"The record is of Mesa {version}, here is {rig.mesa()}; these count when the record is made again:")
        for sentence in broken:
            print("  " + sentence)
        broken = []
    failures += wrong + broken
