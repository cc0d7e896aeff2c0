/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each thread keeps of libcrypto: fetched algorithms and the contexts they run in, made
 * on first use, so that no call searches the providers. Internal to ikecrypto. Holds no key
 * once a call has returned: hash.c and cipher.c see to that.
 */
#ifndef IKECRYPTO_THREAD_H
#define IKECRYPTO_THREAD_H

#include <openssl/evp.h>

enum { IKECRYPTO_N_HASHES = 5, IKECRYPTO_N_CIPHERS = 4 };

struct ikecrypto_thread {
	EVP_MD *md[IKECRYPTO_N_HASHES];			/* by row of hash.c's table */
	EVP_MD_CTX *md_ctx;
	EVP_MAC *hmac;
	EVP_MAC_CTX *hmac_ctx[IKECRYPTO_N_HASHES];	/* digest already set */
	EVP_CIPHER *cipher[IKECRYPTO_N_CIPHERS];	/* by row of cipher.c's table */
	EVP_CIPHER_CTX *cipher_ctx;
};

/* This thread's, freed when the thread ends; NULL when memory is short. */
struct ikecrypto_thread *ikecrypto_thread(void);

#endif
