// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QEMU TCG plugin: counts executed guest instructions per translation block
 * between two marks and writes one file per window (address, instructions,
 * executions, locked instructions). Knows no symbols: report.py names the
 * addresses. A mark is a long nop whose displacement names the window; it does
 * nothing on a machine without this plugin.
 *
 * With cpus=on it counts for each virtual CPU apart instead, in one number: CPUs that run
 * at the same time cannot share counters. A mark then is for the CPU that executes it.
 *
 * Debian packages QEMU's binary but not the plugin header, so the functions
 * used here are declared here (plugin API version 1, QEMU 4.2 and later).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mark.h"

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb)(unsigned int vcpu, void *data);
enum { CB_NO_REGS };
enum { INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb,
					    int flags, void *data);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb, int flags,
					  void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op,
					      void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *ptr, uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

/* One per distinct block address; translated code adds to it, so it never moves. */
struct block {
	uint64_t vaddr, insns, execs, locked;
	struct block *next;
};

#define BUCKETS (1u << 16)
static struct block *table[BUCKETS];
static char dir[512];

/* One for each virtual CPU, written by its thread alone. */
#define CPUS 8
static struct { uint64_t insns; char apart[120]; } cpus[CPUS];
static bool by_cpu;

static struct block *block_at(uint64_t vaddr)
{
	struct block **b = &table[(vaddr * 0x9e3779b97f4a7c15ull) >> 48 & (BUCKETS - 1)], *n;

	for (n = *b; n; n = n->next)
		if (n->vaddr == vaddr)
			return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		abort();
	n->vaddr = vaddr;
	n->next = *b;
	*b = n;
	return n;
}

static void window_start(unsigned int vcpu, void *data)
{
	unsigned int i;
	struct block *b;

	(void)vcpu;
	(void)data;
	for (i = 0; i < BUCKETS; i++)
		for (b = table[i]; b; b = b->next)
			b->insns = b->execs = b->locked = 0;
}

static void window_stop(unsigned int vcpu, void *data)
{
	uint32_t id = (uint32_t)(uintptr_t)data;
	char name[600];
	unsigned int i;
	struct block *b;
	FILE *f;

	(void)vcpu;
	snprintf(name, sizeof(name), "%s/window.%" PRIu32, dir, id);
	f = fopen(name, "w");
	if (!f) {
		perror(name);
		return;
	}
	for (i = 0; i < BUCKETS; i++)
		for (b = table[i]; b; b = b->next)
			if (b->execs || b->locked)
				fprintf(f, "%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
					b->vaddr, b->insns, b->execs, b->locked);
	if (fclose(f))
		perror(name);
}

static void cpu_add(unsigned int vcpu, void *data)
{
	cpus[vcpu % CPUS].insns += (uintptr_t)data;
}

static void cpu_start(unsigned int vcpu, void *data)
{
	(void)data;
	cpus[vcpu % CPUS].insns = 0;
}

static void cpu_stop(unsigned int vcpu, void *data)
{
	uint64_t insns = cpus[vcpu % CPUS].insns;
	char name[600];
	FILE *f;

	snprintf(name, sizeof(name), "%s/cpu.%" PRIu32 ".%u", dir, (uint32_t)(uintptr_t)data, vcpu);
	f = fopen(name, "w");
	if (!f || fprintf(f, "%" PRIu64 "\n", insns) < 0 || fclose(f))
		perror(name);
}

/* A LOCK prefix among the legacy prefixes; xchg with memory locks without one. */
static bool is_locked(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		switch (p[i]) {
		case 0xf0:
			return true;
		case 0x66: case 0x67: case 0x2e: case 0x3e: case 0x64: case 0x65:
		case 0xf2: case 0xf3: case 0x40 ... 0x4f:
			continue;
		case 0x86: case 0x87:
			return i + 1 < n && p[i + 1] < 0xc0;
		}
		return false;
	}
	return false;
}

/* Has @insn call what belongs to it if it is a mark. */
static void watch_mark(struct qemu_plugin_insn *insn)
{
	const uint8_t *code = qemu_plugin_insn_data(insn);
	void *id;
	uint32_t mark;

	if (qemu_plugin_insn_size(insn) != MARK_SIZE || memcmp(code, mark_prefix, sizeof(mark_prefix)))
		return;
	memcpy(&mark, code + sizeof(mark_prefix), sizeof(mark));
	id = (void *)(uintptr_t)(mark & ~MARK_MASK);
	if ((mark & MARK_MASK) == MARK_START)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, by_cpu ? cpu_start : window_start,
						       CB_NO_REGS, id);
	else if ((mark & MARK_MASK) == MARK_STOP)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, by_cpu ? cpu_stop : window_stop,
						       CB_NO_REGS, id);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;
	struct block *b = NULL;

	(void)id;
	if (by_cpu) {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, cpu_add, CB_NO_REGS, (void *)(uintptr_t)n);
	} else {
		b = block_at(qemu_plugin_tb_vaddr(tb));
		qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->insns, n);
		qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->execs, 1);
	}
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		if (b && is_locked(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn)))
			qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &b->locked, 1);
		watch_mark(insn);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "dir=", 4) && strlen(argv[i]) - 4 < sizeof(dir))
			strcpy(dir, argv[i] + 4);
		else if (!strcmp(argv[i], "cpus=on"))
			by_cpu = true;
		else
			break;
	}
	if (i < argc || !*dir) {
		fprintf(stderr, "insn: wants dir=DIRECTORY and perhaps cpus=on\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
