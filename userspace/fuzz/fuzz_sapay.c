// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SA payload of both phases: decoded, written again, chosen from, explained. The choice
 * is one of the configured algorithms and one of those offered; the answer comes out of our
 * numbers and decodes to exactly one transform.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "libike/proposal.h"

static const char *const phase1[] = { "aes256-sha256-modp2048", "aes128-sha1-modp1536", "3des-md5-modp1024",
				      "aes128-sha512-ecp384" };
static const char *const phase2[] = { "aes256gcm16-modp2048", "aes128-sha256-modp2048", "aes128-sha256", "3des-md5",
				      "null-sha1", "aes128ctr-aesxcbc", "aes128ccm8-ecp256", "aes256-sha512-esn" };

#define COUNT(a) ((unsigned int)(sizeof(a) / sizeof((a)[0])))

static const struct ike_tunnel_cfg *config(void)
{
	static struct ike_tunnel_cfg cfg;
	unsigned int i;

	if (cfg.n_p1)
		return &cfg;
	ike_tunnel_cfg_init(&cfg);
	cfg.line = 7;
	cfg.policy = IKE_POLICY_INSECURE;
	for (i = 0; i < COUNT(phase1); i++)
		FUZZ_CHECK(!ike_p1_parse(phase1[i], cfg.policy, &cfg.p1[cfg.n_p1++], NULL));
	for (i = 0; i < COUNT(phase2); i++)
		FUZZ_CHECK(!ike_p2_parse(phase2[i], cfg.policy, &cfg.p2[cfg.n_p2++], NULL));
	return &cfg;
}

/* Same numbers after a trip over the wire. */
static void check_again(const struct ike_sapay *sa)
{
	struct ike_sapay again;
	struct ike_wbuf first, second;
	const char *why = NULL;

	ike_wbuf_init(&first);
	ike_wbuf_init(&second);
	ike_sapay_encode(&first, sa);
	FUZZ_CHECK(!first.bad);
	FUZZ_CHECK(!ike_sapay_decode(first.data, first.len, &again, &why));
	ike_sapay_encode(&second, &again);
	FUZZ_CHECK(second.len == first.len && !memcmp(second.data, first.data, first.len));
	FUZZ_CHECK(again.n_proposals == sa->n_proposals && again.n_transforms == sa->n_transforms);
	ike_wbuf_free(&first);
	ike_wbuf_free(&second);
}

static void check_answer(const struct ike_sapay *answer)
{
	struct ike_wbuf w;
	struct ike_sapay again;
	const char *why = NULL;

	FUZZ_CHECK(answer->n_proposals == 1 && answer->n_transforms == 1);
	ike_wbuf_init(&w);
	ike_sapay_encode(&w, answer);
	FUZZ_CHECK(!w.bad && !ike_sapay_decode(w.data, w.len, &again, &why));
	FUZZ_CHECK(ike_transform_equal(&again.t[0], &answer->t[0]));
	ike_wbuf_free(&w);
}

static void choose_p1(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg)
{
	struct ike_p1_choice c = { 0 };
	struct ike_sapay answer;
	char text[400];
	unsigned int i;

	ike_p1_explain(sa, cfg, text, sizeof(text));
	fuzz_printable(text);
	if (!ike_choose_p1(sa, cfg, &answer, &c))
		return;
	check_answer(&answer);
	for (i = 0; i < cfg->n_p1 && memcmp(&cfg->p1[i], &c.alg, sizeof(c.alg)); i++)
		;
	FUZZ_CHECK(i < cfg->n_p1);
	FUZZ_CHECK(c.life >= IKE_LIFE_MIN && c.life <= cfg->p1_life);
}

static void choose_p2(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, uint16_t group, bool udp)
{
	struct ike_p2_choice c = { 0 };
	struct ike_sapay answer;
	unsigned int i;

	if (!ike_choose_p2(sa, cfg, group, udp, &answer, &c))
		return;
	check_answer(&answer);
	for (i = 0; i < cfg->n_p2; i++)
		if (cfg->p2[i].transform == c.alg.transform && cfg->p2[i].auth == c.alg.auth &&
		    cfg->p2[i].key_bits == c.alg.key_bits && cfg->p2[i].group == c.alg.group &&
		    cfg->p2[i].esn == c.alg.esn)
			break;
	FUZZ_CHECK(i < cfg->n_p2);
	FUZZ_CHECK(group == IKE_GROUP_ANY ? c.alg.group != 0 : c.alg.group == group);
	FUZZ_CHECK(c.spi >= IKE_SPI_MIN);
	FUZZ_CHECK(c.life >= IKE_LIFE_MIN && c.life <= cfg->p2_life);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct ike_tunnel_cfg *cfg = config();
	const char *why = NULL;
	struct ike_sapay sa;
	char text[400];

	if (ike_sapay_decode(data, len, &sa, &why)) {
		FUZZ_CHECK(why && *why);
		return 0;
	}
	FUZZ_CHECK(sa.n_proposals <= IKE_MAX_OFFERED && sa.n_transforms <= IKE_MAX_TRANSFORMS);
	check_again(&sa);
	choose_p1(&sa, cfg);
	ike_p2_explain(&sa, cfg, false, text, sizeof(text));
	fuzz_printable(text);
	choose_p2(&sa, cfg, 0, false);
	choose_p2(&sa, cfg, 14, true);
	choose_p2(&sa, cfg, IKE_GROUP_ANY, false);
	return 0;
}
