// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text and JSON from the same calls. JSON is built as a tree with json-c and written when
 * its outermost part ends, so that what is written is always whole.
 */
#include "cli/print.h"

#include <errno.h>
#include <string.h>
#include <json-c/json.h>

void out_init(struct out *o, FILE *f, bool json, bool pretty)
{
	memset(o, 0, sizeof(*o));
	o->f = f;
	o->json = json;
	o->pretty = pretty;
	o->bol = true;
}

int out_finish(struct out *o)
{
	if (o->depth > 0)
		json_object_put(o->path[0]);
	o->depth = 0;
	return fflush(o->f) != 0 || ferror(o->f) || o->broken ? -EIO : 0;
}

/* Takes @value over, into the innermost open list or object. */
static void attach(struct out *o, const char *key, struct json_object *value)
{
	struct json_object *in = o->depth ? o->path[o->depth - 1] : NULL;
	int err;

	if (!value || !in)
		err = value != in;
	else if (json_object_is_type(in, json_type_array))
		err = json_object_array_add(in, value);
	else
		err = json_object_object_add(in, key, value);
	if (err)
		o->broken = true;
}

static void open_part(struct out *o, const char *key, struct json_object *part)
{
	if (o->depth)
		attach(o, key, part);
	o->path[o->depth++] = part;
	o->broken |= !part;
}

static void close_part(struct out *o)
{
	int flags = o->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED :
				JSON_C_TO_STRING_PLAIN;
	struct json_object *part = o->path[--o->depth];
	const char *text;

	if (o->depth)
		return;
	text = json_object_to_json_string_ext(part, flags | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(o->f, "%s\n", text);
	else
		o->broken = true;
	json_object_put(part);
}

void out_list_begin(struct out *o)
{
	if (o->json)
		open_part(o, NULL, json_object_new_array());
}

void out_list_end(struct out *o)
{
	if (o->json)
		close_part(o);
}

void out_item_begin(struct out *o)
{
	if (o->json)
		open_part(o, NULL, json_object_new_object());
}

void out_item_end(struct out *o)
{
	if (o->json)
		close_part(o);
	else
		fputc('\n', o->f);
	o->bol = true;
}

static void space(struct out *o)
{
	if (!o->bol)
		fputc(' ', o->f);
	o->bol = false;
}

static void label(struct out *o, const char *key)
{
	space(o);
	for (; *key; key++)
		fputc(*key == '_' ? '-' : *key, o->f);
}

void out_nest_begin(struct out *o, const char *key)
{
	if (o->json) {
		open_part(o, key, json_object_new_object());
		return;
	}
	out_line(o);
	label(o, key);
	fputc(':', o->f);
}

void out_nest_end(struct out *o)
{
	if (o->json)
		close_part(o);
}

void out_line(struct out *o)
{
	if (o->json)
		return;
	fputs("\n    ", o->f);
	o->bol = true;
}

void out_name(struct out *o, const char *key, const char *value)
{
	if (o->json) {
		attach(o, key, json_object_new_string(value));
		return;
	}
	space(o);
	fputs(value, o->f);
}

void out_str(struct out *o, const char *key, const char *value)
{
	if (o->json) {
		attach(o, key, json_object_new_string(value));
		return;
	}
	label(o, key);
	fprintf(o->f, " %s", value);
}

void out_num(struct out *o, const char *key, uint64_t value)
{
	if (o->json) {
		attach(o, key, json_object_new_uint64(value));
		return;
	}
	label(o, key);
	fprintf(o->f, " %llu", (unsigned long long)value);
}

void out_onoff(struct out *o, const char *key, bool value)
{
	if (o->json)
		attach(o, key, json_object_new_boolean(value));
	else
		out_str(o, key, value ? "on" : "off");
}

void out_flag(struct out *o, const char *key, bool value)
{
	if (o->json)
		attach(o, key, json_object_new_boolean(value));
	else if (value)
		label(o, key);
}

void out_hex32(struct out *o, const char *key, uint32_t value)
{
	char text[12];

	snprintf(text, sizeof(text), "0x%08x", value);
	out_str(o, key, text);
}

void out_octets(struct out *o, const char *key, const uint8_t *octets, size_t len)
{
	char text[2 * 64 + 1] = "";

	for (size_t i = 0; i < len && 2 * i + 2 < sizeof(text); i++)
		snprintf(text + 2 * i, 3, "%02x", octets[i]);
	out_str(o, key, text);
}

void out_counter(struct out *o, const char *name, uint64_t value)
{
	if (o->json) {
		attach(o, name, json_object_new_uint64(value));
		return;
	}
	space(o);
	fprintf(o->f, "%s %llu", name, (unsigned long long)value);
}

const char *out_duration(uint64_t ns, char *buf, size_t len)
{
	unsigned long long ms = ns / 1000000, s = ms / 1000;

	if (s >= 86400)
		snprintf(buf, len, "%llud%lluh", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		snprintf(buf, len, "%lluh%llum", s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(buf, len, "%llum%llus", s / 60, s % 60);
	else if (s >= 1)
		snprintf(buf, len, "%llu.%llus", s, ms / 100 % 10);
	else
		snprintf(buf, len, "%llums", ms);
	return buf;
}

void out_when(struct out *o, const char *key, uint64_t when, uint64_t now)
{
	char text[48];

	if (o->json) {
		attach(o, key, json_object_new_uint64(when));
		return;
	}
	if (!when) {
		out_str(o, key, "never");
		return;
	}
	out_duration(now > when ? now - when : 0, text, sizeof(text));
	out_str(o, key, text);
	fputs(" ago", o->f);
}

void out_words(struct out *o, const char *key, const char *const *words, size_t count)
{
	if (o->json) {
		open_part(o, key, json_object_new_array());
		for (size_t i = 0; i < count; i++)
			attach(o, NULL, json_object_new_string(words[i]));
		close_part(o);
		return;
	}
	if (!count)
		return;
	space(o);
	fprintf(o->f, "[%s: ", key);
	for (size_t i = 0; i < count; i++)
		fprintf(o->f, "%s%s", i ? ", " : "", words[i]);
	fputc(']', o->f);
}
