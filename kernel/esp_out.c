// SPDX-License-Identifier: GPL-2.0
/*
 * Encapsulation (RFC 4303 3.3): memory to write in, trailer, header, IV, cipher, and what
 * follows when the cipher has finished. Decides nothing about policy or routes.
 */
#include "device.h"
#include "esp.h"
#include "outer.h"
#include <linux/random.h>

/*
 * Gives the copy the original's place in its socket's send queue. With destructors that
 * look at more the socket just gets its room back early.
 */
static void esptun_out_move_owner(struct sk_buff *to, struct sk_buff *from)
{
	if (!esptun_skb_charged(from))
		return;
	to->sk = from->sk;
	to->destructor = from->destructor;
	to->truesize = from->truesize;
	from->sk = NULL;
	from->destructor = NULL;
}

/* Copies the packet into @to and completes its checksum on the way, if it has none yet. */
static int esptun_out_copy(const struct sk_buff *skb, u8 *to)
{
	unsigned int start = skb->len;
	__wsum csum;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		start = skb_checksum_start_offset(skb);
		if (start + skb->csum_offset + sizeof(__sum16) > skb->len)
			return -EINVAL;
	}
	if (skb_copy_bits(skb, 0, to, start))
		return -EINVAL;
	if (start == skb->len)
		return 0;
	csum = skb_copy_and_csum_bits(skb, start, to + start, skb->len - start);
	*(__sum16 *)(to + start + skb->csum_offset) = csum_fold(csum) ? : CSUM_MANGLED_0;
	return 0;
}

/* A fresh linear packet with the same content. The original is consumed if this succeeds. */
static struct sk_buff *esptun_out_fresh(struct sk_buff *skb, unsigned int head, unsigned int tail)
{
	struct sk_buff *fresh;
	int err;

	fresh = alloc_skb(head + skb->len + tail, GFP_ATOMIC | __GFP_NOWARN);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	skb_reserve(fresh, head);
	err = esptun_out_copy(skb, skb_put(fresh, skb->len));
	if (err) {
		kfree_skb(fresh);
		return ERR_PTR(err);
	}
	/* The inner route has served; a copy would only cost references. */
	skb_dst_drop(skb);
	skb_copy_header(fresh, skb);
	skb_gso_reset(fresh);
	skb_reset_network_header(fresh);
	skb_reset_mac_header(fresh);
	fresh->ip_summed = CHECKSUM_NONE;
	esptun_out_move_owner(fresh, skb);
	consume_skb(skb);
	return fresh;
}

/* The packet in memory that is ours to write in, with this much room. -errno: unchanged. */
static struct sk_buff *esptun_out_own(struct sk_buff *skb, unsigned int head, unsigned int tail)
{
	if (unlikely(!esptun_skb_owned(skb)) || skb_headroom(skb) < head ||
	    skb_tailroom(skb) < tail)
		return esptun_out_fresh(skb, head, tail);
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return ERR_PTR(-EINVAL);
	skb->ip_summed = CHECKSUM_NONE;
	return skb;
}

/* Padding, pad length, next header, and room for the ICV. Return: octets of text. */
static unsigned int esptun_out_trailer(struct sk_buff *skb, const struct esptun_crypto *c)
{
	unsigned int text = ALIGN(skb->len + ESPTUN_ESP_TRAILER, c->block);
	unsigned int pad = text - skb->len - ESPTUN_ESP_TRAILER;
	u8 next = skb->protocol == htons(ETH_P_IP) ? IPPROTO_IPIP : IPPROTO_IPV6;
	u8 *p = skb_put(skb, pad + ESPTUN_ESP_TRAILER + c->icv_len);
	unsigned int i;

	for (i = 1; i <= pad; i++)
		*p++ = i;
	*p++ = pad;
	*p = next;
	return text;
}

/* Counter modes: the number itself, which no other packet of this key has. CBC: unpredictable. */
static void esptun_out_iv(u8 *iv, const struct esptun_crypto *c, u64 seq)
{
	u64 word;
	u8 i;

	if (c->counter_iv) {
		word = (__force u64)cpu_to_be64(seq);
		memcpy(iv, &word, sizeof(word));
		return;
	}
	for (i = 0; i < c->iv_len; i += sizeof(word)) {
		word = get_random_u64();
		memcpy(iv + i, &word, sizeof(word));
	}
}

/* Header and IV. Return: where the associated data begin; see esp.h for the two forms. */
static u8 *esptun_out_header(struct sk_buff *skb, const struct esptun_sa *sa, u64 seq)
{
	u8 *esp = skb_push(skb, ESPTUN_ESP_HEADER + sa->crypto.iv_len);

	put_unaligned_be32((u32)seq, esp + 4);
	esptun_out_iv(esp + ESPTUN_ESP_HEADER, &sa->crypto, seq);
	if (!sa->esn) {
		put_unaligned(sa->spi, (__be32 *)esp);
		return esp;
	}
	put_unaligned(sa->spi, (__be32 *)(esp - ESPTUN_ESN_SHIFT));
	put_unaligned_be32(seq >> 32, esp);
	return esp - ESPTUN_ESN_SHIFT;
}

static enum esptun_drop esptun_out_reason(int err)
{
	switch (err) {
	case -ENOMEM:
		return ESPTUN_DROP_TX_NO_MEMORY;
	case -EBUSY:
	case -ENOSPC:
		return ESPTUN_DROP_TX_CRYPTO_BUSY;
	}
	return ESPTUN_DROP_TX_CRYPTO_ERROR;
}

static void esptun_out_send(struct sk_buff *skb)
{
	struct esptun_cb *cb = esptun_cb(skb);
	struct esptun_sa *sa = cb->sa;
	struct esptun_dev *tun = sa->tun;
	struct esptun_drop_info info = { .reason = ESPTUN_DROP_TX_ERROR, .sa = sa, .seq = cb->seq };
	const struct esptun_route *route = cb->route;
	bool borrowed = route;
	struct esptun_route own;
	u32 bytes = cb->bytes;

	if (!borrowed) {
		if (esptun_outer_route(tun, &own)) {
			esptun_xmit_drop(skb, ESPTUN_DROP_TX_NO_ROUTE);
			return;
		}
		route = &own;
	}
	if (likely(!esptun_outer_send(tun, skb, route, borrowed))) {
		esptun_stats_passed(sa->stats, 1, bytes);
		dev_sw_netstats_tx_add(tun->dev, 1, bytes);
	} else {
		/* The output path has freed it. */
		esptun_stats_dropped(tun, &info, 1);
	}
	if (!borrowed)
		dst_release(route->dst);
}

/* Every cipher ends here, at once or later: the packet is encrypted, or @err says why not. */
static void esptun_out_done(struct sk_buff *skb, int err)
{
	struct esptun_cb *cb = esptun_cb(skb);
	struct esptun_sa *sa = cb->sa;
	bool async = cb->async;

	if (likely(!err)) {
		if (sa->esn)
			put_unaligned(sa->spi, (__be32 *)skb->data);
		esptun_out_send(skb);
	} else {
		esptun_xmit_drop(skb, esptun_out_reason(err));
	}
	esptun_esp_release(sa, async);
}

static ESPTUN_CRYPTO_CB(esptun_out_async, data, err)
{
	if (err == -EINPROGRESS)
		return;
	local_bh_disable();
	rcu_read_lock();
	esptun_out_done(esptun_crypto_finish(esptun_crypto_cb_data(data)), err);
	rcu_read_unlock();
	local_bh_enable();
}

void esptun_esp_out(struct sk_buff *skb, unsigned int room)
{
	struct esptun_sa *sa = esptun_cb(skb)->sa;
	struct esptun_crypto *c = &sa->crypto;
	struct esptun_crypto_job job = { .done = esptun_out_async };
	struct sk_buff *own;
	int err;

	own = esptun_out_own(skb, room, esptun_crypto_tail(c));
	if (IS_ERR(own)) {
		esptun_xmit_drop(skb, PTR_ERR(own) == -ENOMEM ? ESPTUN_DROP_TX_NO_MEMORY :
				 ESPTUN_DROP_TX_BAD_INNER);
		return;
	}
	skb = own;
	job.later = esptun_crypto_later(c);
	if (unlikely(job.later) && !esptun_esp_hold(skb)) {
		esptun_xmit_drop(skb, ESPTUN_DROP_TX_NO_SA);
		return;
	}
	job.skb = skb;
	job.text_len = esptun_out_trailer(skb, c);
	job.start = esptun_out_header(skb, sa, esptun_cb(skb)->seq);
	job.assoc_len = skb->data + ESPTUN_ESP_HEADER + c->iv_len - job.start;
	job.iv = skb->data + ESPTUN_ESP_HEADER;
	err = esptun_crypto_run(c, &job, true);
	/* In progress: the packet is the cipher's, and may be gone by now. */
	if (err != -EINPROGRESS)
		esptun_out_done(skb, err);
}
