// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The per-thread cache of libcrypto objects: made on first use, freed when the thread ends.
 * Never decides which algorithm is used, never sees a key.
 */
#include "thread.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static int have_key;
static _Thread_local struct ikecrypto_thread *mine;

static void release(void *p)
{
	struct ikecrypto_thread *t = p;
	int i;

	for (i = 0; i < IKECRYPTO_N_HASHES; i++) {
		EVP_MAC_CTX_free(t->hmac_ctx[i]);
		EVP_MD_free(t->md[i]);
	}
	for (i = 0; i < IKECRYPTO_N_CIPHERS; i++)
		EVP_CIPHER_free(t->cipher[i]);
	EVP_MAC_free(t->hmac);
	EVP_MD_CTX_free(t->md_ctx);
	EVP_CIPHER_CTX_free(t->cipher_ctx);
	free(t);
	mine = NULL;
}

static void make_key(void)
{
	have_key = !pthread_key_create(&at_exit, release);
}

struct ikecrypto_thread *ikecrypto_thread(void)
{
	if (mine)
		return mine;
	mine = calloc(1, sizeof(*mine));
	if (!mine)
		return NULL;
	/* Without a key the objects of a thread that ends are lost; nothing else is. */
	pthread_once(&once, make_key);
	if (have_key)
		pthread_setspecific(at_exit, mine);
	return mine;
}
