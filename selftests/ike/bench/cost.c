// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the bare crypto library needs for one side of a negotiation: a public value and a shared
 * secret of the group and, with RSA, one signature made and one verified. Prints
 * microseconds of this process's CPU for each name given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define ROUNDS 200

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(int ok, const char *what)
{
	if (ok > 0)
		return;
	fprintf(stderr, "cost: the crypto library refused: %s\n", what);
	exit(1);
}

static EVP_PKEY *pair(const char *type, const char *group)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	must(ctx && EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_CTX_set_group_name(ctx, group) > 0 &&
	     EVP_PKEY_keygen(ctx, &key) > 0, group);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void secret(EVP_PKEY *mine, EVP_PKEY *theirs)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mine, NULL);
	unsigned char out[1024];
	size_t len = sizeof(out);

	must(ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, theirs) > 0 &&
	     EVP_PKEY_derive(ctx, out, &len) > 0, "derive");
	EVP_PKEY_CTX_free(ctx);
}

static double exchange(const char *type, const char *group)
{
	EVP_PKEY *peer = pair(type, group);
	double start = cpu_us();
	int i;

	for (i = 0; i < ROUNDS; i++) {
		EVP_PKEY *own = pair(type, group);

		secret(own, peer);
		EVP_PKEY_free(own);
	}
	EVP_PKEY_free(peer);
	return (cpu_us() - start) / ROUNDS;
}

/*
 * Two exponentiations with exponents as short as the library itself makes them for group 14
 * (225 bits). Its DH interface would add a check of the peer's value that costs several of them.
 */
static double modp2048(void)
{
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL), *x = BN_new(), *y = BN_new(), *z = BN_new(), *g = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	double start;
	int i;

	must(p && x && y && z && g && ctx && BN_set_word(g, 2), "numbers");
	start = cpu_us();
	for (i = 0; i < ROUNDS; i++)
		must(BN_rand(x, 225, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
		     BN_mod_exp_mont_consttime(y, g, x, p, ctx, NULL) &&
		     BN_mod_exp_mont_consttime(z, y, x, p, ctx, NULL), "exponentiation");
	start = (cpu_us() - start) / ROUNDS;
	BN_free(p);
	BN_free(x);
	BN_free(y);
	BN_free(z);
	BN_free(g);
	BN_CTX_free(ctx);
	return start;
}

/* PKCS#1 v1.5 without DigestInfo, as IKEv1 has it. */
static double signatures(unsigned int bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(key, NULL), *verify = EVP_PKEY_CTX_new(key, NULL);
	unsigned char hash[32] = { 1 }, sig[1024], out[1024];
	double start;
	int i;

	must(key && sign && verify && EVP_PKEY_sign_init(sign) > 0 && EVP_PKEY_verify_recover_init(verify) > 0 &&
	     EVP_PKEY_CTX_set_rsa_padding(sign, RSA_PKCS1_PADDING) > 0 &&
	     EVP_PKEY_CTX_set_rsa_padding(verify, RSA_PKCS1_PADDING) > 0, "RSA");
	start = cpu_us();
	for (i = 0; i < ROUNDS; i++) {
		size_t len = sizeof(sig), got = sizeof(out);

		must(EVP_PKEY_sign(sign, sig, &len, hash, sizeof(hash)) > 0 &&
		     EVP_PKEY_verify_recover(verify, out, &got, sig, len) > 0, "signature");
	}
	EVP_PKEY_CTX_free(sign);
	EVP_PKEY_CTX_free(verify);
	EVP_PKEY_free(key);
	return (cpu_us() - start) / ROUNDS;
}

static double cost(const char *name)
{
	if (!strcmp(name, "modp2048"))
		return modp2048();
	if (!strcmp(name, "ecp256"))
		return exchange("EC", "P-256");
	if (!strcmp(name, "rsa2048"))
		return signatures(2048);
	fprintf(stderr, "cost: no such thing: %s\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		printf("%s %.1f\n", argv[i], cost(argv[i]));
	return 0;
}
