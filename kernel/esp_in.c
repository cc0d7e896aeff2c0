// SPDX-License-Identifier: GPL-2.0
/*
 * Decapsulation (RFC 4303 3.4): lengths, early replay check, memory to write in, cipher,
 * and, when that has authenticated the packet, replay window, lifetime and trailer. What
 * is in the inner packet is rcv.c's business.
 */
#include "device.h"
#include "esp.h"

bool esptun_esp_hold(struct sk_buff *skb)
{
	struct esptun_cb *cb = esptun_cb(skb);

	if (!esptun_sa_hold(cb->sa))
		return false;
	dev_hold(cb->sa->tun->dev);
	WRITE_ONCE(esptun_lingers, true);
	cb->async = true;
	cb->route = NULL;
	return true;
}

void esptun_esp_release(struct esptun_sa *sa, bool async)
{
	struct net_device *dev;

	if (likely(!async))
		return;
	dev = sa->tun->dev;
	esptun_sa_put(sa);
	dev_put(dev);
}

static enum esptun_drop esptun_in_replay_reason(enum esptun_replay_verdict verdict)
{
	static const enum esptun_drop reasons[] = {
		[ESPTUN_REPLAY_DUP] = ESPTUN_DROP_RX_REPLAY_DUP,
		[ESPTUN_REPLAY_OLD] = ESPTUN_DROP_RX_REPLAY_OLD,
		[ESPTUN_REPLAY_ZERO] = ESPTUN_DROP_RX_REPLAY_ZERO,
	};

	return reasons[verdict];
}

static enum esptun_drop esptun_in_reason(int err)
{
	switch (err) {
	case -EBADMSG:
		return ESPTUN_DROP_RX_ICV_FAIL;
	case -ENOMEM:
		return ESPTUN_DROP_RX_NO_MEMORY;
	case -EBUSY:
	case -ENOSPC:
		return ESPTUN_DROP_RX_CRYPTO_BUSY;
	}
	return ESPTUN_DROP_RX_CRYPTO_ERROR;
}

/* Octets of text, or 0 if header, IV, one block and ICV do not fit or the text is not whole. */
static unsigned int esptun_in_text(const struct sk_buff *skb, const struct esptun_crypto *c)
{
	unsigned int around = ESPTUN_ESP_HEADER + c->iv_len + c->icv_len;
	unsigned int text;

	if (skb->len < around + c->block)
		return 0;
	text = skb->len - around;
	return text % c->block ? 0 : text;
}

/* The packet in memory that is ours to write in; the original is consumed. NULL: no memory. */
static struct sk_buff *esptun_in_own(struct sk_buff *skb)
{
	struct sk_buff *fresh;

	if (likely(esptun_skb_owned(skb)))
		return skb;
	/* The headroom goes along: it has the outer header. */
	fresh = skb_copy_expand(skb, skb_headroom(skb), 0, GFP_ATOMIC | __GFP_NOWARN);
	if (fresh)
		consume_skb(skb);
	return fresh;
}

/* Takes the trailer off. Return: next header, or -1 if the trailer is wrong. */
static int esptun_in_trailer(struct sk_buff *skb, const struct esptun_crypto *c)
{
	unsigned int len = skb->len - c->icv_len;
	int next = esptun_trailer_take(skb->data, &len);

	if (likely(next >= 0))
		__skb_trim(skb, len);
	return next;
}

/* What the ESN form moved goes back to its place. */
static void esptun_in_restore(struct sk_buff *skb, const struct esptun_sa *sa)
{
	if (!sa->esn)
		return;
	put_unaligned(esptun_cb(skb)->left, (__be32 *)(skb->data - ESPTUN_ESN_SHIFT));
	put_unaligned(sa->spi, (__be32 *)skb->data);
}

/* The packet has authenticated. */
static void esptun_in_authentic(struct sk_buff *skb, struct esptun_sa *sa)
{
	enum esptun_replay_verdict verdict;
	int next;

	verdict = esptun_replay_commit(&sa->replay, esptun_cb(skb)->seq);
	if (unlikely(verdict)) {
		esptun_rcv_drop(skb, esptun_in_replay_reason(verdict));
		return;
	}
	esptun_sa_authenticated(sa);
	if (unlikely(sa->flags & ESPTUN_SA_FLAG_FOLLOW_PEER))
		esptun_path_follow(sa, skb, esptun_cb(skb)->seq);
	__skb_pull(skb, ESPTUN_ESP_HEADER + sa->crypto.iv_len);
	next = esptun_in_trailer(skb, &sa->crypto);
	if (unlikely(next < 0)) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_BAD_TRAILER);
		return;
	}
	if (unlikely(!esptun_sa_account(sa, 1, skb->len))) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_EXPIRED);
		return;
	}
	esptun_rcv_deliver(skb, next);
}

/* Every cipher ends here, at once or later: the packet is decrypted, or @err says why not. */
static void esptun_in_done(struct sk_buff *skb, int err)
{
	struct esptun_cb *cb = esptun_cb(skb);
	struct esptun_sa *sa = cb->sa;
	bool async = cb->async;

	esptun_in_restore(skb, sa);
	if (likely(!err))
		esptun_in_authentic(skb, sa);
	else
		esptun_rcv_drop(skb, esptun_in_reason(err));
	esptun_esp_release(sa, async);
}

static ESPTUN_CRYPTO_CB(esptun_in_async, data, err)
{
	if (err == -EINPROGRESS)
		return;
	local_bh_disable();
	rcu_read_lock();
	esptun_in_done(esptun_crypto_finish(esptun_crypto_cb_data(data)), err);
	rcu_read_unlock();
	local_bh_enable();
}

/* Where the associated data begin; with ESN the SPI is moved, see esp.h. */
static u8 *esptun_in_header(struct sk_buff *skb, const struct esptun_sa *sa, u64 seq)
{
	u8 *esp = skb->data;

	if (!sa->esn)
		return esp;
	esptun_cb(skb)->left = get_unaligned((__be32 *)(esp - ESPTUN_ESN_SHIFT));
	put_unaligned(sa->spi, (__be32 *)(esp - ESPTUN_ESN_SHIFT));
	put_unaligned_be32(seq >> 32, esp);
	return esp - ESPTUN_ESN_SHIFT;
}

/* Decrypts a packet whose lengths and number are good and whose memory is ours. */
static void esptun_in_decrypt(struct sk_buff *skb, struct esptun_sa *sa, unsigned int text)
{
	const struct esptun_crypto *c = &sa->crypto;
	struct esptun_crypto_job job = {
		.skb = skb, .later = esptun_crypto_later(c), .done = esptun_in_async };
	int err;

	if (unlikely(job.later)) {
		if (!esptun_esp_hold(skb)) {
			esptun_rcv_drop(skb, ESPTUN_DROP_RX_NO_SA);
			return;
		}
		/* Outer route and device are borrowed from RCU; the cipher may outlast it. */
		skb_dst_drop(skb);
		skb->dev = sa->tun->dev;
	}
	job.start = esptun_in_header(skb, sa, esptun_cb(skb)->seq);
	job.assoc_len = skb->data + ESPTUN_ESP_HEADER + c->iv_len - job.start;
	job.text_len = text + c->icv_len;
	job.iv = skb->data + ESPTUN_ESP_HEADER;
	err = esptun_crypto_run(c, &job, false);
	/* In progress: the packet is the cipher's, and may be gone by now. */
	if (err != -EINPROGRESS)
		esptun_in_done(skb, err);
}

void esptun_esp_in(struct sk_buff *skb, struct esptun_sa *sa)
{
	struct esptun_cb *cb = esptun_cb(skb);
	enum esptun_replay_verdict verdict;
	struct sk_buff *own;
	unsigned int text;
	u64 seq;

	memset(cb, 0, sizeof(*cb));
	cb->sa = sa;
	cb->outer = skb->network_header;
	cb->tos = esptun_esp_tos(skb);
	text = esptun_in_text(skb, &sa->crypto);
	if (unlikely(!text)) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_TOO_SHORT);
		return;
	}
	verdict = esptun_replay_check(&sa->replay, get_unaligned_be32(skb->data + 4), &seq);
	cb->seq = seq;
	if (unlikely(verdict)) {
		esptun_rcv_drop(skb, esptun_in_replay_reason(verdict));
		return;
	}
	own = esptun_in_own(skb);
	if (unlikely(!own)) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_NO_MEMORY);
		return;
	}
	esptun_in_decrypt(own, sa, text);
}
