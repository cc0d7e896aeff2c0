#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of nlgen.py: it refuses what it has no rule for, notices stale files, and its
output holds what the specification says. Run from anywhere; writes only to a temporary
directory."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import nlgen  # noqa: E402

TEXT = (HERE.parent / nlgen.SPEC).read_text()


def spec_with(old, new):
    assert old in TEXT, old
    return nlgen.Spec(TEXT.replace(old, new, 1))


class Refusals(unittest.TestCase):
    def refused(self, old, new, words):
        with self.assertRaises((nlgen.SpecError, KeyError)) as caught:
            spec = spec_with(old, new)
            for make in nlgen.OUTPUTS.values():
                make(spec)
        self.assertIn(words, str(caught.exception))

    def test_unknown_key(self):
        self.refused("name: dir, type: u32,", "name: dir, typo: 1, type: u32,", "typo")

    def test_unknown_type(self):
        self.refused("name: mtu, type: u32", "name: mtu, type: sint", "mtu")

    def test_unknown_enum(self):
        self.refused("enum: encr }", "enum: encryption }", "encryption")

    def test_unknown_attribute_in_request(self):
        self.refused("[ ifindex, dir, spi, tunnel-id ] } }", "[ ifindex, direction ] } }", "direction")

    def test_unknown_check(self):
        self.refused("checks: { max-len: 68 }", "checks: { min-len: 1 }", "encr-key")

    def test_request_without_length(self):
        self.refused("type: binary, checks: { max-len: 68 }", "type: binary", "length check")


class Output(unittest.TestCase):
    def setUp(self):
        self.spec = nlgen.Spec(TEXT)

    def test_repeatable(self):
        for make in nlgen.OUTPUTS.values():
            self.assertEqual(make(self.spec), make(nlgen.Spec(TEXT)))

    def test_drop_attributes_follow_the_enum(self):
        drops = self.spec.enums["drop"].entries
        self.assertEqual([a.name for a in self.spec.sets["drops"].attrs],
                         [d["name"] for d in drops])

    def test_no_reply_holds_a_key(self):
        for op in self.spec.ops:
            for message in [m["reply"] for m in op.modes.values()] + [op.event]:
                self.assertFalse([a.name for a in message if a.name.endswith("-key")], op.name)

    def test_policies_list_the_request_only(self):
        text = nlgen.make_kernel_c(self.spec)
        block = re.search(r"esptun_nl_sa_del_policy\[.*?\};", text, re.S).group()
        self.assertEqual(re.findall(r"\[ESPTUN_A_SA_([A-Z_]+)\]", block),
                         ["IFINDEX", "DIR", "SPI", "TUNNEL_ID"])

    def test_every_request_has_policy_flags_and_handler(self):
        text = nlgen.make_kernel_c(self.spec)
        ops = re.search(r"esptun_nl_ops\[.*?\n\};", text, re.S).group()
        count = len(self.spec.requests)
        for field in (r"\.cmd\t", r"\.policy\t", r"\.maxattr\t", r"\.doit\t+= \w+_guard_do,"):
            self.assertEqual(len(re.findall(field, ops)), count, field)

    def test_every_handler_is_behind_the_question_for_the_privilege(self):
        text = nlgen.make_kernel_c(self.spec)
        modes = sum(len(op.modes) for op in self.spec.requests)
        self.assertEqual(len(re.findall(r"esptun_nl_permit\(", text)), modes)
        self.assertEqual(len(re.findall(r"\.dumpit\t+= \w+_guard_dump,", text)),
                         len(re.findall(r"\.dumpit\t", text)))


class Check(unittest.TestCase):
    def run_check(self, top):
        return subprocess.run([str(HERE / "nlgen.py"), "--check", "--top", top],
                              capture_output=True, text=True, check=False)

    def test_stale(self):
        with tempfile.TemporaryDirectory() as top:
            path = pathlib.Path(top) / nlgen.SPEC
            path.parent.mkdir(parents=True)
            path.write_text(TEXT)
            missing = self.run_check(top)
            self.assertEqual(missing.returncode, 1)
            subprocess.run([str(HERE / "nlgen.py"), "--top", top], check=True)
            self.assertEqual(self.run_check(top).returncode, 0)
            path.write_text(TEXT.replace("value: 4096", "value: 2048"))
            stale = self.run_check(top)
            self.assertEqual(stale.returncode, 1)
            self.assertIn("+#define ESPTUN_MAX_REPLAY_WINDOW\t2048", stale.stdout)

    def test_broken_yaml(self):
        with tempfile.TemporaryDirectory() as top:
            path = pathlib.Path(top) / nlgen.SPEC
            path.parent.mkdir(parents=True)
            path.write_text("name: [esptun")
            result = self.run_check(top)
            self.assertEqual(result.returncode, 1)
            self.assertNotIn("Traceback", result.stderr)


if __name__ == "__main__":
    unittest.main()
