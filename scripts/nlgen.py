#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Netlink generator: Documentation/netlink/specs/esptun.yaml in; the UAPI header, the
kernel's policies and operation table, the userspace name tables and the reference page
out. Written for one family: it refuses what it does not know instead of guessing, and
emits only what kernels from 5.10 on understand (no split operations).

  nlgen.py            write the files
  nlgen.py --check    compare with what is there; a diff and exit 1 when stale
"""
import argparse
import difflib
import pathlib
import re
import sys
import textwrap

import yaml

SPEC = "Documentation/netlink/specs/esptun.yaml"
KERNEL_TYPES = {"u8": "NLA_U8", "u16": "NLA_U16", "u32": "NLA_U32", "u64": "NLA_U64",
                "string": "NLA_NUL_STRING", "binary": "NLA_BINARY"}
TYPES = set(KERNEL_TYPES) | {"nest", "pad"}
KEYS = {
    "attribute": {"name", "type", "doc", "enum", "byte-order", "display-hint", "checks",
                  "nested-attributes"},
    "definition": {"name", "type", "doc", "value", "entries", "name-prefix"},
    "entry": {"name", "doc"},
    "set": {"name", "doc", "attributes"},
    "operation": {"name", "doc", "attribute-set", "flags", "do", "dump", "event", "mcgrp"},
}
SECRET = re.compile(r"-key$")


class SpecError(Exception):
    """The specification says something this generator has no rule for."""


def check_keys(what, node):
    unknown = set(node) - KEYS[what]
    if unknown:
        raise SpecError(f"{what} {node.get('name')}: unknown {', '.join(sorted(unknown))}")


def c_name(*parts):
    return "-".join(parts).replace("-", "_")


def c_const(*parts):
    return c_name(*parts).upper()


class Enum:
    """An enum or flags definition. Its entries count from 0, flags are bit masks."""

    def __init__(self, family, node):
        self.name, self.doc = node["name"], node.get("doc", "")
        self.flags = node["type"] == "flags"
        self.prefix = node.get("name-prefix", f"{family}-{self.name}-").rstrip("-")
        self.entries = [e if isinstance(e, dict) else {"name": e} for e in node["entries"]]
        for entry in self.entries:
            check_keys("entry", entry)

    def const(self, entry):
        return c_const(self.prefix, entry["name"])

    @property
    def last(self):
        return self.const(self.entries[-1])

    @property
    def mask(self):
        return (1 << len(self.entries)) - 1


class Attr:
    """One attribute; .const is its number's name in C."""

    def __init__(self, spec, prefix, node):
        check_keys("attribute", node)
        self.name, self.type = node["name"], node["type"]
        self.doc = node.get("doc", "")
        self.const = c_const(prefix, self.name)
        self.big_endian = node.get("byte-order") == "big-endian"
        self.enum = spec.enums[node["enum"]] if "enum" in node else None
        self.hint = node.get("display-hint", "")
        self.nested = node.get("nested-attributes")
        self.checks = {k: c_const(spec.family, v) if v in spec.consts else v
                       for k, v in node.get("checks", {}).items()}
        if self.type not in TYPES or set(self.checks) - {"max", "max-len", "exact-len"}:
            raise SpecError(f"attribute {self.name}: type or check not supported")

    def policy(self):
        """The kernel's initialiser for it."""
        kind = KERNEL_TYPES[self.type]
        if self.enum and self.enum.flags:
            return f"NLA_POLICY_MASK({kind}, {self.enum.mask:#x})"
        if self.enum:
            return f"NLA_POLICY_MAX({kind}, {self.enum.last})"
        if "exact-len" in self.checks:
            return f"NLA_POLICY_EXACT_LEN({self.checks['exact-len']})"
        if "max" in self.checks:
            return f"NLA_POLICY_MAX({kind}, {self.checks['max']})"
        if "max-len" in self.checks:
            return f"{{ .type = {kind}, .len = {self.checks['max-len']} }}"
        if self.type in ("string", "binary"):
            raise SpecError(f"attribute {self.name}: needs a length check in a request")
        return f"{{ .type = {kind} }}"

    def type_text(self):
        """Its type for people."""
        words = [self.type]
        if self.big_endian:
            words.append("(network byte order)")
        if self.enum:
            words.append(f"{'mask' if self.enum.flags else 'enum'} :ref:`{self.enum.name}`")
        if self.nested:
            words.append(f"of {self.nested}")
        words += [f"{k} {v}" for k, v in self.checks.items()]
        return " ".join(words)


class AttrSet:
    def __init__(self, spec, node, prefix):
        self.name, self.doc, self.prefix = node["name"], node.get("doc", ""), prefix
        attrs = node["attributes"]
        if isinstance(attrs, str):
            attrs = self.from_enum(spec, attrs)
        self.attrs = [Attr(spec, prefix, a) for a in attrs]
        self.by_name = {a.name: a for a in self.attrs}
        self.max = c_const(prefix, "max")
        self.unspec = c_const(prefix, "unspec")

    @staticmethod
    def from_enum(spec, text):
        """Shorthand: one attribute of a type for each entry of an enum."""
        match = re.fullmatch(r"from-enum (\S+) as (\S+)", text)
        if not match:
            raise SpecError(f"attributes: {text!r} not understood")
        enum, kind = match.groups()
        return [dict(e, type=kind) for e in spec.enums[enum].entries]

    def pick(self, names):
        """The attributes a message lists, in the set's order."""
        if names == "all":
            names = [a.name for a in self.attrs if a.type != "pad"]
        if names == "all-but-keys":
            names = [a.name for a in self.attrs if a.type != "pad" and not SECRET.search(a.name)]
        unknown = [n for n in names if n not in self.by_name]
        if unknown:
            raise SpecError(f"set {self.name} has no {unknown}")
        return [a for a in self.attrs if a.name in names]


class Op:
    def __init__(self, spec, node):
        check_keys("operation", node)
        self.name, self.doc = node["name"], node.get("doc", "")
        self.set = spec.sets[node["attribute-set"]]
        self.flags = node.get("flags", [])
        self.mcgrp = node.get("mcgrp")
        self.event = self.listed(node.get("event"))
        self.modes = {m: {d: self.listed(node[m].get(d)) for d in ("request", "reply")}
                      for m in ("do", "dump") if m in node}
        self.const = c_const(spec.family, "cmd", self.name)
        self.policy = c_name(spec.family, "nl", self.name, "policy")

    def listed(self, message):
        return self.set.pick(message["attributes"]) if message else []

    def handler(self, mode):
        return f"esptun_nl_{c_name(self.name)}_{mode}it"

    def guard(self, mode):
        """What stands before a handler to ask for the privilege."""
        return f"esptun_nl_{c_name(self.name)}_guard_{mode}"

    def accepted(self):
        """What a request may carry. Do and dump share it: 5.10 has one policy a command."""
        names = {a.name for m in self.modes.values() for a in m["request"]}
        return [a for a in self.set.attrs if a.name in names]


class Spec:
    def __init__(self, text):
        node = yaml.safe_load(text)
        self.family, self.version, self.doc = node["name"], node["version"], node["doc"]
        for definition in node["definitions"]:
            check_keys("definition", definition)
        self.const_nodes = [d for d in node["definitions"] if d["type"] == "const"]
        self.consts = {d["name"]: d["value"] for d in self.const_nodes}
        self.enums = {d["name"]: Enum(self.family, d) for d in node["definitions"]
                      if d["type"] != "const"}
        self.sets = {}
        for aset in node["attribute-sets"]:
            check_keys("set", aset)
            self.sets[aset["name"]] = AttrSet(self, aset, f"{self.family}-a-{aset['name']}")
        self.ops = [Op(self, o) for o in node["operations"]["list"]]
        self.requests = [o for o in self.ops if o.modes]
        self.mcgrps = node["mcast-groups"]["list"]
        link = node["link"]
        self.link = AttrSet(self, dict(link, name="link"), link["prefix"])


# -- text helpers -----------------------------------------------------------------------

def banner(comment, licence):
    head = [f"SPDX-License-Identifier: {licence}"]
    note = [f"Generated by scripts/nlgen.py from {SPEC}.", "Edit that file, never this one."]
    if comment == "..":
        return f".. {head[0]}\n.. {note[0]}\n   {note[1]}\n\n"
    first = f"/* {head[0]} */" if comment == "h" else f"// {head[0]}"
    return f"{first}\n/*\n * {note[0]}\n * {note[1]}\n */\n"


def doc_lines(text, first, rest=" *   "):
    """A comment's lines, wrapped."""
    return textwrap.wrap(" ".join(text.split()), 96, initial_indent=first,
                         subsequent_indent=rest, break_on_hyphens=False)


def table(left, right, indent="\t"):
    """Two columns, the second lined up with tabs of eight."""
    width = max((len(l) for l in left), default=0) // 8 * 8 + 8
    return [f"{indent}{l}" + "\t" * -(-(width - len(l)) // 8) + r for l, r in zip(left, right)]


def enum_block(tag, doc, rows, tail=()):
    """A C enum with kernel-doc; rows are (constant, value or "", doc)."""
    lines = ["/**"] + doc_lines(doc, f" * enum {tag} - ")
    for const, _, text in rows:
        if text:
            lines += doc_lines(text, f" * @{const}: ")
    lines += [" */", f"enum {tag} {{"]
    lines += [f"\t{const}{' = ' + value if value else ''}," for const, value, _ in rows]
    if tail:
        lines += ["", "\t/* private: */"] + [f"\t{t}," for t in tail]
    return lines + ["};", ""]


# -- UAPI header ------------------------------------------------------------------------

def uapi_enum(enum):
    rows = [(enum.const(e), f"{1 << i}" if enum.flags else "", e.get("doc", "") or e["name"])
            for i, e in enumerate(enum.entries)]
    lines = enum_block(c_name("esptun", enum.name), enum.doc or enum.name, rows)
    if not enum.flags:
        lines[-1:] = [f"#define {c_const('esptun', enum.name, 'count')}\t({enum.last} + 1)", ""]
    return lines


def uapi_set(tag, aset):
    rows = [(aset.unspec, "", "")]
    for attr in aset.attrs:
        text = "; ".join(t for t in (attr.doc.rstrip("."), attr.type_text() if attr.type != "pad" else
                                     "padding") if t)
        rows.append((attr.const, "", text.replace(":ref:", "").replace("`", "")))
    bound = "__" + aset.max
    return enum_block(tag, aset.doc or aset.name, rows, [bound, f"{aset.max} = {bound} - 1"])


def make_uapi(spec):
    out = [banner("h", "GPL-2.0 WITH Linux-syscall-note"), "#ifndef _UAPI_LINUX_ESPTUN_H",
           "#define _UAPI_LINUX_ESPTUN_H", "",
           f'#define ESPTUN_GENL_NAME\t"{spec.family}"',
           f"#define ESPTUN_GENL_VERSION\t{spec.version}", ""]
    for group in spec.mcgrps:
        out += [f'#define {c_const("esptun-mcgrp", group["name"])}\t"{group["name"]}"', ""]
    for const in spec.const_nodes:
        out += ["/* " + " ".join(const["doc"].split()) + " */",
                f"#define {c_const('esptun', const['name'])}\t{const['value']}", ""]
    for enum in spec.enums.values():
        out += uapi_enum(enum)
    for aset in spec.sets.values():
        out += uapi_set(c_name("esptun-a", aset.name), aset)
    rows = [(o.const, "1" if i == 0 else "", o.doc) for i, o in enumerate(spec.ops)]
    out += enum_block("esptun_cmd", "Commands and notifications of the family.", rows,
                      ["__ESPTUN_CMD_MAX", "ESPTUN_CMD_MAX = __ESPTUN_CMD_MAX - 1"])
    out += uapi_set("ifla_esptun", spec.link)
    return "\n".join(out + ["#endif /* _UAPI_LINUX_ESPTUN_H */", ""])


# -- kernel -----------------------------------------------------------------------------

def make_kernel_h(spec):
    handlers = []
    for op in spec.requests:
        if "do" in op.modes:
            handlers.append(f"int {op.handler('do')}(struct sk_buff *skb, struct genl_info *info);")
        if "dump" in op.modes:
            handlers.append(f"int {op.handler('dump')}(struct sk_buff *skb, "
                            "struct netlink_callback *cb);")
    groups = [f"\t{c_const('esptun-nl-mcgrp', g['name'])}," for g in spec.mcgrps]
    out = [banner("h", "GPL-2.0"), "#ifndef _ESPTUN_NL_GEN_H", "#define _ESPTUN_NL_GEN_H", "",
           "#include <linux/ethtool.h>", "#include <net/genetlink.h>",
           "#include <uapi/linux/esptun.h>", "",
           "/* Implemented in netlink.c and nl_sa.c. */", *handlers, "",
           "/* May the sender do this? 0, or -EPERM with a text. Implemented in netlink.c. */",
           "int esptun_nl_permit(struct sk_buff *skb, struct netlink_ext_ack *extack);", "",
           f"#define ESPTUN_NL_OPS_COUNT\t{len(spec.requests)}", "",
           "enum {", *groups, "\tESPTUN_NL_MCGRPS_COUNT", "};", "",
           "extern const struct genl_ops esptun_nl_ops[ESPTUN_NL_OPS_COUNT];",
           "extern const struct genl_multicast_group "
           "esptun_nl_mcgrps[ESPTUN_NL_MCGRPS_COUNT];",
           f"extern const struct nla_policy esptun_link_policy[{spec.link.max} + 1];",
           "", "/* Names of the drop counters as ethtool shows them. */",
           "extern const char esptun_drop_names[ESPTUN_DROP_COUNT][ETH_GSTRING_LEN];", "",
           "#endif /* _ESPTUN_NL_GEN_H */", ""]
    return "\n".join(out)


def kernel_policy(name, aset, attrs, head=()):
    rows = list(head) + [(f"[{a.const}]", a.policy()) for a in attrs]
    body = table([r[0] for r in rows], [f"= {r[1]}," for r in rows])
    return [f"{name}[{aset.max} + 1] = {{", *body, "};", ""]


def kernel_guard(op):
    """GENL_UNS_ADMIN_PERM would refuse before anybody could say why: ours says it."""
    if "uns-admin-perm" not in op.flags:
        return []
    out = []
    if "do" in op.modes:
        out += [f"static int {op.guard('do')}(struct sk_buff *skb, struct genl_info *info)", "{",
                "\tint err = esptun_nl_permit(skb, info->extack);", "",
                f"\treturn err ? err : {op.handler('do')}(skb, info);", "}", ""]
    if "dump" in op.modes:
        # Not in .start: before 6.10 the text would not get out of there.
        out += [f"static int {op.guard('dump')}(struct sk_buff *skb, struct netlink_callback *cb)",
                "{", "\tint err = esptun_nl_permit(cb->skb, cb->extack);", "",
                f"\treturn err ? err : {op.handler('dump')}(skb, cb);", "}", ""]
    return out


def kernel_op(op):
    guarded = "uns-admin-perm" in op.flags
    rows = [(".cmd", op.const)]
    if "do" in op.modes:
        rows += [(".doit", op.guard("do") if guarded else op.handler("do"))]
    if "dump" in op.modes:
        rows += [(".dumpit", op.guard("dump") if guarded else op.handler("dump"))]
    rows += [(".policy", op.policy), (".maxattr", op.set.max), (".validate", "0")]
    return ["\t{", *table([r[0] for r in rows], [f"= {r[1]}," for r in rows], "\t\t"), "\t},"]


def kernel_groups(spec):
    """Where the headers lack GENL_MCAST_CAP_NET_ADMIN, compat.h says what stands for it."""
    out = ["const struct genl_multicast_group esptun_nl_mcgrps[ESPTUN_NL_MCGRPS_COUNT] = {"]
    for group in spec.mcgrps:
        out += [f"\t[{c_const('esptun-nl-mcgrp', group['name'])}] = {{",
                f"\t\t.name\t= {c_const('esptun-mcgrp', group['name'])},"]
        if "mcast-cap-net-admin" in group.get("flags", []):
            out += ["\t\t.flags\t= GENL_MCAST_CAP_NET_ADMIN,"]
        out += ["\t},"]
    return out + ["};", ""]


def make_kernel_c(spec):
    out = [banner("c", "GPL-2.0"), '#include "nl_gen.h"', ""]
    for op in spec.requests:
        out += kernel_policy(f"static const struct nla_policy {op.policy}", op.set, op.accepted())
    strict = (f"[{spec.link.unspec}]", "{ .strict_start_type = 1 }")
    out += kernel_policy("const struct nla_policy esptun_link_policy", spec.link,
                         spec.link.attrs, [strict])
    for op in spec.requests:
        out += kernel_guard(op)
    out += ["const struct genl_ops esptun_nl_ops[ESPTUN_NL_OPS_COUNT] = {"]
    for op in spec.requests:
        out += kernel_op(op)
    out += ["};", "", *kernel_groups(spec)]
    drops = spec.enums["drop"]
    out += ["const char esptun_drop_names[ESPTUN_DROP_COUNT][ETH_GSTRING_LEN] = {",
            *table([f"[{drops.const(e)}]" for e in drops.entries],
                   [f'= "{c_name(e["name"])}",' for e in drops.entries]), "};", ""]
    return "\n".join(out)


# -- userspace --------------------------------------------------------------------------

def make_user_h(spec):
    names = list(spec.enums)
    out = [banner("h", "GPL-2.0-or-later"), "#ifndef ESPTUN_NL_GEN_H", "#define ESPTUN_NL_GEN_H",
           "", "#include <stddef.h>", "#include <stdint.h>", "#include <linux/esptun.h>", "",
           "/**", " * struct esptun_nl_names - the words for the values of an enum or flags word",
           " * @name: of the enum", " * @flags: names[i] belongs to bit i instead of value i",
           " * @count: entries in @names", " * @names: as the specification writes them", " */",
           "struct esptun_nl_names {", "\tconst char *name;", "\tint flags;", "\tsize_t count;",
           "\tconst char *const *names;", "};", "", "/**",
           " * struct esptun_nl_attr - one attribute of a set; unused numbers have no name",
           " * @name: as the specification writes it",
           " * @names: words for its values, or NULL", " * @nested: the set inside it, or NULL",
           " */", "struct esptun_nl_attr {", "\tconst char *name;",
           "\tconst struct esptun_nl_names *names;", "\tconst struct esptun_nl_set *nested;",
           "};", "", "/**", " * struct esptun_nl_set - an attribute set", " * @name: of the set",
           " * @max: highest attribute number", " * @attrs: indexed by attribute number, @max + 1",
           " */", "struct esptun_nl_set {", "\tconst char *name;", "\tuint16_t max;",
           "\tconst struct esptun_nl_attr *attrs;", "};", ""]
    out += [f"extern const struct esptun_nl_names {c_name('esptun-nl', n, 'names')};"
            for n in names]
    out += [""] + [f"extern const struct esptun_nl_set {c_name('esptun-nl', s, 'set')};"
                   for s in list(spec.sets) + ["link"]]
    out += ["", "/* Commands by ESPTUN_CMD_*, notifications without their suffix; [0] is NULL. */",
            "extern const struct esptun_nl_names esptun_nl_cmd_names;"]
    out += ["", "/* The set a command's messages are made of, indexed by ESPTUN_CMD_*. */",
            "extern const struct esptun_nl_set *const esptun_nl_cmd_sets[ESPTUN_CMD_MAX + 1];",
            "", "#endif /* ESPTUN_NL_GEN_H */", ""]
    return "\n".join(out)


def user_names(enum):
    ident = c_name(enum.name)
    out = [f"static const char *const {ident}_names[] = {{"]
    out += [f'\t"{e["name"]}",' for e in enum.entries]
    return out + ["};", f"const struct esptun_nl_names esptun_nl_{ident}_names = {{",
                  f'\t"{enum.name}", {int(enum.flags)}, {len(enum.entries)}, {ident}_names', "};", ""]


def user_set(aset):
    ident = c_name(aset.name)
    out = [f"static const struct esptun_nl_attr {ident}_attrs[{aset.max} + 1] = {{"]
    rows = []
    for attr in aset.attrs:
        names = f"&esptun_nl_{c_name(attr.enum.name)}_names" if attr.enum else "NULL"
        nested = f"&esptun_nl_{c_name(attr.nested)}_set" if attr.nested else "NULL"
        rows.append((f"[{attr.const}]", f'= {{ "{attr.name}", {names}, {nested} }},'))
    out += table([r[0] for r in rows], [r[1] for r in rows])
    return out + ["};", f"const struct esptun_nl_set esptun_nl_{ident}_set = {{",
                  f'\t"{aset.name}", {aset.max}, {ident}_attrs', "};", ""]


def make_user_c(spec):
    out = [banner("c", "GPL-2.0-or-later"), '#include "libesptun/nl_gen.h"', ""]
    for enum in spec.enums.values():
        out += user_names(enum)
    for aset in list(spec.sets.values()) + [spec.link]:
        out += user_set(aset)
    out += ["static const char *const cmd_names[] = {",
            *table([f"[{o.const}]" for o in spec.ops],
                   [f'= "{o.name.removesuffix("-ntf")}",' for o in spec.ops]), "};",
            "const struct esptun_nl_names esptun_nl_cmd_names = {",
            '\t"cmd", 0, ESPTUN_CMD_MAX + 1, cmd_names', "};", ""]
    out += ["const struct esptun_nl_set *const esptun_nl_cmd_sets[ESPTUN_CMD_MAX + 1] = {",
            *table([f"[{o.const}]" for o in spec.ops],
                   [f"= &esptun_nl_{c_name(o.set.name)}_set," for o in spec.ops]), "};", ""]
    return "\n".join(out)


# -- reference page ---------------------------------------------------------------------

def rst_title(text, mark):
    return [text, mark * len(text), ""]


def rst_rows(head, rows):
    out = [".. list-table::", "   :header-rows: 1", ""]
    for row in [head] + rows:
        out += [("   * - " if i == 0 else "     - ") + " ".join(cell.split())
                for i, cell in enumerate(row)]
    return out + [""]


def rst_op(op):
    out = rst_title(op.name, "-") + ([" ".join(op.doc.split()), ""] if op.doc else [])
    out += [f"Attribute set ``{op.set.name}``." +
            (" Requires CAP_NET_ADMIN in the user namespace of the network namespace."
             if "uns-admin-perm" in op.flags else "") +
            (f" Multicast group ``{op.mcgrp}``." if op.mcgrp else ""), ""]
    messages = [(f"{m} {d}", attrs) for m, both in op.modes.items() for d, attrs in both.items()]
    for label, attrs in messages + [("event", op.event)]:
        if attrs:
            out += [f"* {label}: " + ", ".join(f"``{a.name}``" for a in attrs)]
    return out + [""]


def make_rst(spec):
    out = [banner("..", "GPL-2.0").rstrip("\n"), ""] + rst_title(f"Netlink family {spec.family}", "=")
    out += [" ".join(spec.doc.split()), ""] + rst_title("Operations", "=")
    for op in spec.ops:
        out += rst_op(op)
    out += rst_title("Attribute sets", "=")
    for aset in list(spec.sets.values()) + [spec.link]:
        label = "IFLA_INFO_DATA of kind esptun" if aset is spec.link else aset.name
        out += rst_title(label, "-") + [" ".join(aset.doc.split()), ""]
        out += rst_rows(["number", "name", "type", "meaning"],
                        [[str(i), f"``{a.name}``", a.type_text(), a.doc]
                         for i, a in enumerate(aset.attrs, 1)])
    out += rst_title("Values", "=")
    for enum in spec.enums.values():
        out += [f".. _{enum.name}:", ""] + rst_title(enum.name, "-") + [" ".join(enum.doc.split()), ""]
        out += rst_rows(["value", "name", "meaning"],
                        [[f"{1 << i:#x}" if enum.flags else str(i), f"``{e['name']}``",
                          e.get("doc", "")] for i, e in enumerate(enum.entries)])
    return "\n".join(line.rstrip() for line in out)


OUTPUTS = {
    "include/uapi/linux/esptun.h": make_uapi,
    "kernel/nl_gen.h": make_kernel_h,
    "kernel/nl_gen.c": make_kernel_c,
    "userspace/libesptun/nl_gen.h": make_user_h,
    "userspace/libesptun/nl_gen.c": make_user_c,
    "Documentation/netlink/esptun.rst": make_rst,
}


def compare(path, want, name):
    have = path.read_text() if path.exists() else ""
    if have == want:
        return True
    sys.stdout.writelines(difflib.unified_diff(have.splitlines(True), want.splitlines(True),
                                               name, name + " (generated)"))
    print(f"{name}: stale, run scripts/nlgen.py")
    return False


def main():
    top = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--top", type=pathlib.Path, default=top, help="root of the source tree")
    args = parser.parse_args()
    try:
        spec = Spec((args.top / SPEC).read_text())
        texts = {name: make(spec) for name, make in OUTPUTS.items()}
    except (SpecError, KeyError, TypeError, yaml.YAMLError) as err:
        sys.exit(f"{SPEC}: {type(err).__name__}: {err}")
    if args.check:
        sys.exit(0 if all([compare(args.top / n, t, n) for n, t in texts.items()]) else 1)
    for name, text in texts.items():
        path = args.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
