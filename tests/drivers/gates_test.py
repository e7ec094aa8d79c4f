"""The gates of compilers.py on made-up figures: each lets pass what it should and catches what it should."""
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compilers  # noqa: E402
from compilers import Figures, check  # noqa: E402

NAME = "wkv7.f16_subgroup buffers=4 push=60 subgroup=0 0=256"


def gate(now, before, exceptions=(), complete=True):
    used = set()
    found = {"radv-navi31": {NAME: now} if now else {}}
    record = {"radv-navi31": {NAME: before}} if before else {}
    return check(found, record, complete, list(exceptions), used), used


class Gates(unittest.TestCase):
    calm = Figures("32", "64", "0", "2000", "16", "1000")

    def test_equal_figures_pass(self):
        self.assertEqual(gate(self.calm, self.calm)[0], [])

    def test_a_tenth_slower_passes_and_more_does_not(self):
        self.assertEqual(gate(Figures("32", "64", "0", "2000", "16", "1100"), self.calm)[0], [])
        broken, _ = gate(Figures("32", "64", "0", "2000", "16", "1101"), self.calm)
        self.assertEqual(len(broken), 1)
        self.assertIn("1101 cycles", broken[0])

    def test_no_estimate_is_no_gate(self):
        self.assertEqual(gate(Figures("32", "64", "0", "2000", "16", "-"), self.calm)[0], [])

    def test_spills(self):
        spilling = Figures("32", "64", "12", "2000", "16", "1000")
        broken, used = gate(spilling, self.calm)
        self.assertIn("spills (12)", broken[0])
        self.assertEqual(used, set())
        broken, used = gate(spilling, self.calm, [["radv-*", "wkv7.*", "reason"]])
        self.assertEqual((broken, used), ([], {0}))
        broken, _ = gate(spilling, self.calm, [["nvk-*", "wkv7.*", "another vendor"]])
        self.assertEqual(len(broken), 1)

    def test_spills_of_the_smallest_are_counted_only(self):
        spilling = Figures("16", "64", "12", "2000", "1", "100")
        self.assertEqual(check({"mali-g610": {NAME: spilling}}, {"mali-g610": {NAME: spilling}}, True, [], set()), [])

    def test_record_and_choices_agree(self):
        self.assertIn("is not in the record", gate(self.calm, None)[0][0])
        self.assertIn("no longer chosen", gate(None, self.calm)[0][0])
        self.assertEqual(gate(None, self.calm, complete=False)[0], [])

    def test_statistics(self):
        radv = {"VGPRs": 24, "SGPRs": 108, "Spilled VGPRs": 1, "Spilled SGPRs": 2, "Code size": 99, "Subgroups per SIMD": 32,
                "Latency": 8748}
        self.assertEqual(Figures.of({"subgroup": 64, "statistics": radv}).all, ["64", "24", "3", "99", "32", "8748"])
        turnip = {"Registers used": 6, "STP Count": 0, "LDP Count": 0, "Code size": 1344, "Max Waves Per Core": 16,
                  "Instruction Count": 100, "Estimated cycles stalled on SS": 10, "Estimated cycles stalled on SY": 20}
        self.assertEqual(Figures.of({"subgroup": 128, "statistics": turnip}).all, ["128", "6", "0", "1344", "16", "130"])
        self.assertEqual(Figures.of({"subgroup": 0, "statistics": {}}).all, ["-"] * 6)

    def test_the_table_tells_variants_apart(self):
        dot, plain, few = "project_add.q4_k_dot buffers=4", "project_add.q4_k_subgroup buffers=4", "mix_project.f16_subgroup buffers=4"
        chosen = {"radv-navi31": [dot, few, "mix_project.q4_k_dot buffers=4"], "anv-skl": [plain, few, "mix_project.q4_k_subgroup"],
                  "v3d-42": ["mix_project.f16_floor", "mix_project.q4_k_floor"]}
        found = {"radv-navi31": {dot: self.calm}, "anv-skl": {plain: self.calm}}
        radeon, intel, pi = compilers.table(chosen, found, "26.2.6-1", []).splitlines()[-3:]
        self.assertIn("| subgroup, q4_k dot | 3 | 1 | 0 |", radeon)
        self.assertIn("| dot 32/64/0/2000/16/1000 |", radeon)
        self.assertIn("| subgroup | 3 | 1 | 0 |", intel)
        self.assertIn("| 32/64/0/2000/16/1000 |", intel)
        self.assertIn("| floor | 2 | - | - |", pi)

    def test_panvk_is_asked_for_less(self):
        few = "matmul_few.f16_subgroup spirv/x.spv 4 8 0 0=128 1={} 2=4 3=32 4={}\n"
        kept = ["matmul.f16 spirv/x.spv 4 8 0 1=64\n", "matmul.f16 spirv/x.spv 4 8 0 1=32\n", few.format(32, 8), few.format(32, 2),
                "head.q4_k_dot spirv/x.spv 4 28 0 0=128\n"]
        others = [few.format(4, 8), few.format(8, 2), "head.q4_k_subgroup spirv/x.spv 4 28 0 0=128\n", "head.q8_0_dot x 4 28 0 0=128\n"]
        self.assertEqual(compilers.for_panvk([*kept, *others]), kept)

    def test_a_record_is_read_as_it_was_written(self):
        with tempfile.TemporaryDirectory() as folder:
            kept, compilers.RECORD = compilers.RECORD, folder
            try:
                other = Figures("16", "70", "0", "1", "-", "5")
                compilers.write_record("26.2.6-1", {"radv-navi31": {NAME: self.calm}, "anv-skl": {NAME: other},
                                                    "radv-navi10": {"x buffers=1": other}})
                version, record = compilers.read_record()
            finally:
                compilers.RECORD = kept
        self.assertEqual(version, "26.2.6-1")
        self.assertEqual(record["radv-navi31"][NAME].all, self.calm.all)
        self.assertEqual(list(record["radv-navi10"]), ["x buffers=1"])
        self.assertEqual(record["anv-skl"][NAME].all, other.all)


unittest.main()
