// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ID payloads: identities of phase 1 and networks of quick mode, on the wire and as text.
 * The first octet chooses.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "libike/ident.h"
#include "libike/net.h"

/* What is shown can be written into the configuration and means the same. */
static void check_text(const struct ike_id *id)
{
	char text[4 * IKE_ID_MAX + 16];
	struct ike_id again;

	ike_id_format(id, text, sizeof(text));
	fuzz_printable(text);
	if (!ike_id_parse(text, &again))
		FUZZ_CHECK(ike_id_equal(&again, id) == ike_id_equal(id, &again));
}

static void phase1(const uint8_t *data, size_t len)
{
	struct ike_id id, again;
	struct ike_wbuf w;
	const char *why = NULL;

	if (ike_id_decode(data, len, &id, &why)) {
		FUZZ_CHECK(why && *why);
		return;
	}
	check_text(&id);
	FUZZ_CHECK(ike_id_equal(&id, &id));
	ike_wbuf_init(&w);
	ike_id_encode(&w, &id);
	FUZZ_CHECK(!w.bad && !ike_id_decode(w.data, w.len, &again, &why));
	FUZZ_CHECK(again.type == id.type && again.len == id.len && !memcmp(again.data, id.data, id.len));
	ike_wbuf_free(&w);
}

static void phase2(const uint8_t *data, size_t len)
{
	char text[4 * IKE_NET_TEXT];
	struct ike_ts ts, again;
	struct ike_wbuf w;
	const char *why = NULL;

	if (ike_ts_decode(data, len, &ts, &why)) {
		FUZZ_CHECK(why && *why);
		return;
	}
	ike_ts_format(&ts, text, sizeof(text));
	fuzz_printable(text);
	if (!ts.len) {		/* a name, say: not kept, for it is never agreed to */
		FUZZ_CHECK(!ts.net.family);
		return;
	}
	ike_wbuf_init(&w);
	ike_ts_encode(&w, &ts);
	FUZZ_CHECK(!w.bad && w.len == len && !memcmp(w.data, data, len));
	FUZZ_CHECK(!ike_ts_decode(w.data, w.len, &again, &why) && again.net.family == ts.net.family);
	ike_wbuf_free(&w);
	if (!ts.net.family)	/* a range that is no prefix */
		return;
	FUZZ_CHECK(ts.net.prefix <= (ts.net.family == 4 ? 32 : 128));
	ike_net_format(&ts.net, text, sizeof(text));
	ike_ts_from_net(&ts.net, &again);
	FUZZ_CHECK(ike_net_equal(&again.net, &ts.net));
}

static void words(const uint8_t *data, size_t len)
{
	char text[512];
	struct ike_id id;

	if (len >= sizeof(text))
		return;
	memcpy(text, data, len);
	text[len] = 0;
	if (!ike_id_parse(text, &id))
		check_text(&id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const what[])(const uint8_t *data, size_t len) = { phase1, phase2, words };

	if (len)
		what[data[0] % 3](data + 1, len - 1);
	return 0;
}
