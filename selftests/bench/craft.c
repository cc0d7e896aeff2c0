// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames with ESP in them, see craft.h: virtio-net header, Ethernet, IPv4, ESP
 * with AES-128-GCM, IPv4, UDP.
 */
#include <arpa/inet.h>
#include <err.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include "craft.h"
#include "load.h"

#define VNET	10
#define PAYLOAD	18
#define INNER	(sizeof(struct iphdr) + sizeof(struct udphdr) + PAYLOAD)
#define TEXT	(INNER + 2)
#define ICV	16

_Static_assert(TEXT % 4 == 0, "a payload that needs no padding");

void craft_path_set(struct craft_path *p, char **words)
{
	char from[64], to[64];
	uint8_t *m;
	int i;

	for (i = 0; i < 2; i++) {
		m = i ? p->mac_to : p->mac_from;
		if (sscanf(words[i], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
			errx(2, "not a hardware address: %s", words[i]);
	}
	for (i = 0; i < 2; i++)
		if (sscanf(words[2 + i], "%63[^,],%63s", from, to) != 2 ||
		    inet_pton(AF_INET, from, i ? &p->inner_from : &p->outer_from) != 1 ||
		    inet_pton(AF_INET, to, i ? &p->inner_to : &p->outer_to) != 1)
			errx(2, "not two addresses: %s", words[2 + i]);
}

void craft_key(uint32_t round, uint32_t spi, int out, uint8_t key[CRAFT_KEY])
{
	memset(key, out ? 0xa5 : 0x5a, CRAFT_KEY);
	memcpy(key, &spi, sizeof(spi));
	memcpy(key + sizeof(spi), &round, sizeof(round));
}

static void ip_header(void *to, uint32_t from, uint32_t dst, size_t len, uint8_t protocol)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .tot_len = htons((uint16_t)len), .ttl = 64,
			    .protocol = protocol, .saddr = from, .daddr = dst };
	uint16_t half[10];
	uint32_t sum = 0;
	int i;

	memcpy(half, &ip, sizeof(ip));
	for (i = 0; i < 10; i++)
		sum += half[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip.check = (uint16_t)~(sum + (sum >> 16));
	memcpy(to, &ip, sizeof(ip));
}

static void seal(const uint8_t *esp, const uint8_t key[CRAFT_KEY], uint8_t *text)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t nonce[12];
	int n;

	memcpy(nonce, key + 16, 4);
	memcpy(nonce + 4, esp + 8, 8);
	if (!c || !EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, nonce) ||
	    !EVP_EncryptUpdate(c, NULL, &n, esp, 8) ||
	    !EVP_EncryptUpdate(c, text, &n, text, TEXT) || !EVP_EncryptFinal_ex(c, text + n, &n) ||
	    !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, ICV, text + TEXT))
		errx(1, "AES-GCM failed");
	EVP_CIPHER_CTX_free(c);
}

size_t craft_packet(const struct craft_path *p, uint32_t spi, uint32_t seq, uint8_t *frame)
{
	struct udphdr udp = { .source = htons(40000), .dest = htons(BENCH_PORT),
			      .len = htons(sizeof(udp) + PAYLOAD) };
	uint8_t *eth = frame + VNET, *ip = eth + 14, *esp = ip + 20, *text = esp + 16;
	uint8_t key[CRAFT_KEY];
	uint32_t word;

	memset(frame, 0, CRAFT_MAX);
	memcpy(eth, p->mac_to, 6);
	memcpy(eth + 6, p->mac_from, 6);
	eth[12] = 0x08;
	ip_header(ip, p->outer_from, p->outer_to, 20 + 16 + TEXT + ICV, 50);
	word = htonl(spi);
	memcpy(esp, &word, 4);
	word = htonl(seq);
	memcpy(esp + 4, &word, 4);
	memcpy(esp + 12, &word, 4);
	ip_header(text, p->inner_from, p->inner_to, INNER, 17);
	memcpy(text + 20, &udp, sizeof(udp));
	text[INNER + 1] = 4;	/* next header, behind a pad length of 0 */
	craft_key(p->round, spi, 0, key);
	seal(esp, key, text);
	return (size_t)(text + TEXT + ICV - frame);
}
