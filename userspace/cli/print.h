/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output: one call prints a value as text or puts it into JSON, so both always say the
 * same. Keys are lower_snake; in text an underscore of a key is written as a dash. Text
 * goes out at once, JSON when the outermost list or item ends. Knows nothing of tunnels.
 */
#ifndef ESPTUN_CLI_PRINT_H
#define ESPTUN_CLI_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_object;

#define OUT_DEPTH	6

/**
 * struct out - where and how
 * @f: text and finished JSON go here; not owned
 * @json: JSON instead of text
 * @pretty: JSON over several lines
 * @broken: memory ran out; out_finish() reports it
 * @bol: text is at the beginning of a line
 * @depth: open lists and objects
 * @path: those, outermost first
 */
struct out {
	FILE *f;
	bool json;
	bool pretty;
	bool broken;
	bool bol;
	int depth;
	struct json_object *path[OUT_DEPTH];
};

void out_init(struct out *o, FILE *f, bool json, bool pretty);

/** out_finish() - flush. Return: 0, or -EIO if something could not be written */
int out_finish(struct out *o);

/** out_list_begin() - the outermost array of a command's output; nothing in text */
void out_list_begin(struct out *o);
void out_list_end(struct out *o);

/** out_item_begin() - a record: an object in JSON; in text it ends with the line */
void out_item_begin(struct out *o);
void out_item_end(struct out *o);

/** out_nest_begin() - an object under @key; in text a new indented line "key:" */
void out_nest_begin(struct out *o, const char *key);
void out_nest_end(struct out *o);

/** out_line() - text only: continue on a new, indented line */
void out_line(struct out *o);

/** out_name() - the word a record begins with: only the value in text */
void out_name(struct out *o, const char *key, const char *value);

/* " key value" in text. out_flag() prints only " key", and nothing if false. */
void out_str(struct out *o, const char *key, const char *value);
void out_num(struct out *o, const char *key, uint64_t value);
void out_onoff(struct out *o, const char *key, bool value);
void out_flag(struct out *o, const char *key, bool value);

/** out_hex32() - 0x%08x, a string in JSON */
void out_hex32(struct out *o, const char *key, uint32_t value);

/** out_octets() - hex digits, a string in JSON */
void out_octets(struct out *o, const char *key, const uint8_t *octets, size_t len);

/** out_counter() - a number under a name that is the same in text and JSON */
void out_counter(struct out *o, const char *name, uint64_t value);

/** out_when() - a CLOCK_BOOTTIME in ns: JSON gets it as it is, text how long before @now */
void out_when(struct out *o, const char *key, uint64_t when, uint64_t now);

/** out_words() - " [key: a, b]" in text and nothing when empty; always an array in JSON */
void out_words(struct out *o, const char *key, const char *const *words, size_t count);

/** out_duration() - ns as people write it: "1d2h", "3m4s", "12.3s", "45ms". Return: @buf */
const char *out_duration(uint64_t ns, char *buf, size_t len);

#endif /* ESPTUN_CLI_PRINT_H */
