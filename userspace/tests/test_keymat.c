// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libike's key derivation against values that vectors/keymat.py computes from the formulas
 * of RFC 2409 with Python's hmac: SKEYID and its children, authentication hashes, cipher
 * keys longer than the hash, IVs, the quick mode hashes, KEYMAT of one and many blocks with
 * and without PFS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libike/keymat.h"
#include "vectors.h"
#include "vectors/keymat_vectors.h"

#define N_VECTORS (sizeof(keymat_vectors) / sizeof(keymat_vectors[0]))
#define N_INPUTS 8

enum { ESP = 3 };

/* Hexadecimal text as a chunk; the octets live until the next test. */
static struct ike_chunk chunk(const char *hex)
{
	static uint8_t room[N_INPUTS][2048];
	static unsigned int next;
	uint8_t *p = room[next++ % N_INPUTS];

	return (struct ike_chunk){ p, unhex(hex, p, sizeof(room[0])) };
}

static void expand(const struct keymat_vector *v, struct ike_skeyid *k)
{
	struct ike_chunk psk = chunk(v->psk);

	assert_int_equal(ike_skeyid_psk(k, v->hash, psk.data, psk.len, chunk(v->ni), chunk(v->nr)), 0);
	assert_int_equal(ike_skeyid_expand(k, chunk(v->gxy), chunk(v->cky_i).data, chunk(v->cky_r).data), 0);
}

static void vectors_regenerate(void **state)
{
	(void)state;
	assert_regenerates("keymat");
}

static void skeyid_and_children(void **state)
{
	struct ike_skeyid k;
	size_t i;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		expand(&keymat_vectors[i], &k);
		assert_int_equal(k.hash, keymat_vectors[i].hash);
		assert_octets(k.skeyid, k.len, keymat_vectors[i].skeyid);
		assert_octets(k.d, k.len, keymat_vectors[i].skeyid_d);
		assert_octets(k.a, k.len, keymat_vectors[i].skeyid_a);
		assert_octets(k.e, k.len, keymat_vectors[i].skeyid_e);
	}
}

static void cipher_keys(void **state)
{
	const struct keymat_vector *v;
	uint8_t key[IKE_KEY_MAX];
	struct ike_skeyid k;
	size_t i;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		v = &keymat_vectors[i];
		expand(v, &k);
		assert_int_equal(ike_cipher_key(&k, key, 16), 0);
		assert_octets(key, 16, v->key16);
		assert_int_equal(ike_cipher_key(&k, key, 24), 0);
		assert_octets(key, 24, v->key24);
		assert_int_equal(ike_cipher_key(&k, key, 32), 0);
		assert_octets(key, 32, v->key32);
	}
}

static void phase1_hashes(void **state)
{
	const struct keymat_vector *v;
	uint8_t out[IKE_HASH_MAX];
	struct ike_skeyid k;
	size_t i;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		v = &keymat_vectors[i];
		expand(v, &k);
		assert_int_equal(ike_hash_phase1(&k, chunk(v->gxi), chunk(v->gxr), chunk(v->cky_i).data,
						 chunk(v->cky_r).data, chunk(v->sai), chunk(v->idii), out), 0);
		assert_octets(out, k.len, v->hash_i);
		assert_int_equal(ike_hash_phase1(&k, chunk(v->gxr), chunk(v->gxi), chunk(v->cky_r).data,
						 chunk(v->cky_i).data, chunk(v->sai), chunk(v->idir), out), 0);
		assert_octets(out, k.len, v->hash_r);
	}
}

static void quick_mode_hashes(void **state)
{
	const struct keymat_vector *v;
	uint8_t out[IKE_HASH_MAX];
	struct ike_skeyid k;
	size_t i;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		v = &keymat_vectors[i];
		expand(v, &k);
		assert_int_equal(ike_hash1(&k, v->msgid, chunk(v->rest), out), 0);
		assert_octets(out, k.len, v->hash1);
		assert_int_equal(ike_hash2(&k, v->msgid, chunk(v->qm_ni), chunk(v->rest), out), 0);
		assert_octets(out, k.len, v->hash2);
		assert_int_equal(ike_hash3(&k, v->msgid, chunk(v->qm_ni), chunk(v->qm_nr), out), 0);
		assert_octets(out, k.len, v->hash3);
	}
}

static void ivs(void **state)
{
	const struct keymat_vector *v;
	struct ike_chunk last;
	uint8_t iv[IKE_BLOCK_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		v = &keymat_vectors[i];
		last = chunk(v->last);
		assert_int_equal(ike_iv_phase1(v->hash, chunk(v->gxi), chunk(v->gxr), iv, 8), 0);
		assert_octets(iv, 8, v->iv_phase1_8);
		assert_int_equal(ike_iv_phase1(v->hash, chunk(v->gxi), chunk(v->gxr), iv, 16), 0);
		assert_octets(iv, 16, v->iv_phase1_16);
		assert_int_equal(ike_iv_msgid(v->hash, last, v->msgid, iv, 16), 0);
		assert_octets(iv, 16, v->iv_msgid_16);
		last.len = 8;
		assert_int_equal(ike_iv_msgid(v->hash, last, v->msgid, iv, 8), 0);
		assert_octets(iv, 8, v->iv_msgid_8);
	}
}

static void keymat(void **state)
{
	const struct keymat_vector *v;
	uint8_t want[IKE_KEYMAT_MAX], out[IKE_KEYMAT_MAX + 1];
	struct ike_skeyid k;
	size_t i, j, len, many_blocks = 0, without_pfs = 0;

	(void)state;
	for (i = 0; i < N_VECTORS; i++) {
		v = &keymat_vectors[i];
		expand(v, &k);
		without_pfs += !*v->qm_gxy;
		for (j = 0; j < sizeof(v->keymat) / sizeof(v->keymat[0]); j++) {
			len = unhex(v->keymat[j], want, sizeof(want));
			many_blocks += len > 2 * k.len;
			out[len] = 0xa5;
			assert_int_equal(ike_keymat(&k, chunk(v->qm_gxy), ESP, v->spi, chunk(v->qm_ni),
						    chunk(v->qm_nr), out, len), 0);
			assert_memory_equal(out, want, len);
			assert_int_equal(out[len], 0xa5);
		}
	}
	assert_true(many_blocks > 20);
	assert_int_equal(without_pfs, N_VECTORS / 4);
}

static void unknown_hash_refused(void **state)
{
	struct ike_chunk n = { "12345678", 8 };
	struct ike_skeyid k;

	(void)state;
	assert_int_not_equal(ike_skeyid_psk(&k, 3, "psk", 3, n, n), 0);
	assert_int_not_equal(ike_skeyid_psk(&k, 0, "psk", 3, n, n), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_regenerate),
		cmocka_unit_test(skeyid_and_children),
		cmocka_unit_test(cipher_keys),
		cmocka_unit_test(phase1_hashes),
		cmocka_unit_test(quick_mode_hashes),
		cmocka_unit_test(ivs),
		cmocka_unit_test(keymat),
		cmocka_unit_test(unknown_hash_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
