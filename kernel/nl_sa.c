// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and events about SAs. Keys are read from a request and wiped in it, whatever
 * becomes of the request; there is no way back out.
 */
#include "netlink.h"
#include "device.h"
#include "external.h"
#include "sa.h"
#include "sadb.h"
#include <linux/string.h>
#include <net/sock.h>

/* Packets; enough for reordering between receive queues. */
#define ESPTUN_DEFAULT_WINDOW 1024

static u32 esptun_nl_get_u32(struct nlattr *attr, u32 otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

static u64 esptun_nl_get_u64(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static __be16 esptun_nl_get_port(struct nlattr *attr)
{
	return attr ? nla_get_be16(attr) : 0;
}

static __be32 esptun_nl_get_spi(struct nlattr *attr)
{
	return attr ? nla_get_be32(attr) : 0;
}

/*
 * The device a request is about, with a reference, when the attributes of @need (a mask by
 * number) are all there.
 */
static struct esptun_dev *esptun_nl_subject(struct genl_info *info, u32 need)
{
	static const struct {
		int attr;
		const char *text;
	} texts[] = {
		{ ESPTUN_A_SA_DIR, "dir: the direction is missing" },
		{ ESPTUN_A_SA_SPI, "spi: the SPI is missing" },
		{ ESPTUN_A_SA_ENCR, "encr: the encryption algorithm is missing" },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!(need & BIT(texts[i].attr)) || info->attrs[texts[i].attr])
			continue;
		info->extack->_msg = texts[i].text;
		return ERR_PTR(-EINVAL);
	}
	return esptun_nl_device(info, ESPTUN_A_SA_IFINDEX);
}

#define ESPTUN_NL_NEED_SPI	BIT(ESPTUN_A_SA_SPI)
#define ESPTUN_NL_NEED_NAME	(BIT(ESPTUN_A_SA_DIR) | ESPTUN_NL_NEED_SPI)
#define ESPTUN_NL_NEED_NEW	(ESPTUN_NL_NEED_NAME | BIT(ESPTUN_A_SA_ENCR))

/* What a request does to its device; an answer, if it has one, is sent from here as well. */
typedef int esptun_nl_act(struct esptun_dev *tun, struct genl_info *info);

/* The branch of an external device a new SA is for; with a reference. */
static struct esptun_dev *esptun_nl_new_branch(struct esptun_dev *tun, struct genl_info *info)
{
	struct nlattr *id = info->attrs[ESPTUN_A_SA_TUNNEL_ID];
	struct esptun_addr local, remote;

	if (!id || !nla_get_u32(id)) {
		NL_SET_ERR_MSG(info->extack, "tunnel-id: an external device's SAs need one, not 0");
		return ERR_PTR(-EINVAL);
	}
	esptun_addr_of_attrs(info->attrs[ESPTUN_A_SA_LOCAL4], info->attrs[ESPTUN_A_SA_LOCAL6], &local);
	esptun_addr_of_attrs(info->attrs[ESPTUN_A_SA_REMOTE4], info->attrs[ESPTUN_A_SA_REMOTE6],
			   &remote);
	return esptun_external_make(tun, nla_get_u32(id), &local, &remote, info->extack);
}

/* What belongs to external devices only. */
static const int esptun_nl_external_attrs[] = {
	ESPTUN_A_SA_TUNNEL_ID, ESPTUN_A_SA_LOCAL4, ESPTUN_A_SA_LOCAL6,
	ESPTUN_A_SA_REMOTE4, ESPTUN_A_SA_REMOTE6,
};

/*
 * The tunnel of @tun that a request is about: the device itself, or a branch of an external
 * one, with a reference for esptun_external_put().
 */
static struct esptun_dev *esptun_nl_branch(struct esptun_dev *tun, struct genl_info *info)
{
	struct nlattr *id = info->attrs[ESPTUN_A_SA_TUNNEL_ID];
	struct esptun_dev *branch;
	int i;

	for (i = 0; !tun->external && i < ARRAY_SIZE(esptun_nl_external_attrs); i++) {
		if (!info->attrs[esptun_nl_external_attrs[i]])
			continue;
		NL_SET_ERR_MSG(info->extack,
			       "tunnel-id, local, remote: the device is not an external one");
		return ERR_PTR(-EINVAL);
	}
	if (tun->external && info->genlhdr->cmd == ESPTUN_CMD_SA_NEW)
		return esptun_nl_new_branch(tun, info);
	if (!id)
		return tun;
	branch = esptun_external_get(tun, nla_get_u32(id));
	if (branch)
		return branch;
	NL_SET_ERR_MSG_ATTR(info->extack, id, "tunnel-id: the device has no such tunnel");
	return ERR_PTR(-ENOENT);
}

static int esptun_nl_on_device(struct genl_info *info, u32 need, esptun_nl_act *act)
{
	struct esptun_dev *tun = esptun_nl_subject(info, need);
	struct esptun_dev *branch;
	int err;

	if (IS_ERR(tun))
		return PTR_ERR(tun);
	branch = esptun_nl_branch(tun, info);
	err = PTR_ERR_OR_ZERO(branch);
	if (!err) {
		err = act(branch, info);
		esptun_external_put(branch);
	}
	dev_put(tun->dev);
	return err;
}

static u32 esptun_nl_dir(const struct genl_info *info)
{
	return nla_get_u32(info->attrs[ESPTUN_A_SA_DIR]);
}

static __be32 esptun_nl_spi(const struct genl_info *info)
{
	return nla_get_be32(info->attrs[ESPTUN_A_SA_SPI]);
}

static void esptun_nl_get_key(struct nlattr *attr, const u8 **key, unsigned int *len)
{
	*key = attr ? nla_data(attr) : NULL;
	*len = attr ? nla_len(attr) : 0;
}

/* Wipes all keys in a request: an attribute may be there more than once. */
static void esptun_nl_wipe_keys(const struct genl_info *info)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(attr) == ESPTUN_A_SA_ENCR_KEY ||
		    nla_type(attr) == ESPTUN_A_SA_AUTH_KEY)
			memzero_explicit(nla_data(attr), nla_len(attr));
}

static u32 esptun_nl_default_window(const struct esptun_sa_params *p)
{
	bool integrity = esptun_alg_integrity(p->crypto.encr, p->crypto.auth);

	return p->dir == ESPTUN_DIR_IN && integrity ? ESPTUN_DEFAULT_WINDOW : 0;
}

static void esptun_nl_get_params(struct nlattr **a, struct esptun_sa_params *p)
{
	struct esptun_crypto_params *c = &p->crypto;

	p->dir = nla_get_u32(a[ESPTUN_A_SA_DIR]);
	p->spi = esptun_nl_get_spi(a[ESPTUN_A_SA_SPI]);
	p->flags = esptun_nl_get_u32(a[ESPTUN_A_SA_FLAGS], 0);
	p->state = esptun_nl_get_u32(a[ESPTUN_A_SA_STATE], ESPTUN_SA_STATE_ACTIVE);
	p->seq = esptun_nl_get_u64(a[ESPTUN_A_SA_SEQ]);
	p->partner = esptun_nl_get_spi(a[ESPTUN_A_SA_PARTNER_SPI]);
	p->encap = esptun_nl_get_u32(a[ESPTUN_A_SA_ENCAP], ESPTUN_ENCAP_NONE);
	p->encap_port = esptun_nl_get_port(a[ESPTUN_A_SA_ENCAP_LOCAL_PORT]);
	p->peer_port = esptun_nl_get_port(a[ESPTUN_A_SA_ENCAP_PEER_PORT]);
	p->keepalive = esptun_nl_get_u32(a[ESPTUN_A_SA_KEEPALIVE], 0);
	p->limits.soft_bytes = esptun_nl_get_u64(a[ESPTUN_A_SA_SOFT_BYTES]);
	p->limits.hard_bytes = esptun_nl_get_u64(a[ESPTUN_A_SA_HARD_BYTES]);
	p->limits.soft_packets = esptun_nl_get_u64(a[ESPTUN_A_SA_SOFT_PACKETS]);
	p->limits.hard_packets = esptun_nl_get_u64(a[ESPTUN_A_SA_HARD_PACKETS]);
	if (a[ESPTUN_A_SA_COOKIE]) {
		p->cookie = nla_data(a[ESPTUN_A_SA_COOKIE]);
		p->cookie_len = nla_len(a[ESPTUN_A_SA_COOKIE]);
	}
	c->encr = nla_get_u32(a[ESPTUN_A_SA_ENCR]);
	c->auth = esptun_nl_get_u32(a[ESPTUN_A_SA_AUTH], ESPTUN_AUTH_NONE);
	c->esn = p->flags & ESPTUN_SA_FLAG_ESN;
	c->weak_ok = p->flags & ESPTUN_SA_FLAG_NO_INTEGRITY_OK;
	esptun_nl_get_key(a[ESPTUN_A_SA_ENCR_KEY], &c->encr_key, &c->encr_key_len);
	esptun_nl_get_key(a[ESPTUN_A_SA_AUTH_KEY], &c->auth_key, &c->auth_key_len);
	p->window = esptun_nl_get_u32(a[ESPTUN_A_SA_REPLAY_WINDOW], esptun_nl_default_window(p));
}

/* One end of a selector. -EINVAL: an address of the wrong length; 0: none given. */
static int esptun_nl_get_side(struct nlattr *first, struct nlattr *last, struct nlattr *port,
			      struct esptun_selector *s, struct esptun_selector_side *side)
{
	u8 family = first && nla_len(first) == 4 ? 4 : 6;

	side->port = port ? be16_to_cpu(nla_get_be16(port)) : 0;
	if (!first)
		return last ? -EINVAL : 0;
	if (nla_len(first) != esptun_selector_addr_len(family) ||
	    (last && nla_len(last) != nla_len(first)) || (s->family && s->family != family))
		return -EINVAL;
	s->family = family;
	esptun_selector_load(&side->first, nla_data(first), family);
	esptun_selector_load(&side->last, nla_data(last ? : first), family);
	return 0;
}

static int esptun_nl_get_selector(struct nlattr **a, struct esptun_selector *s,
				  struct netlink_ext_ack *extack)
{
	s->proto = a[ESPTUN_A_SA_SEL_PROTO] ? nla_get_u8(a[ESPTUN_A_SA_SEL_PROTO]) : 0;
	if (esptun_nl_get_side(a[ESPTUN_A_SA_SEL_LOCAL], a[ESPTUN_A_SA_SEL_LOCAL_LAST],
			       a[ESPTUN_A_SA_SEL_LOCAL_PORT], s, &s->local)) {
		NL_SET_ERR_MSG(extack, "sel-local: not one or two addresses of one family");
		return -EINVAL;
	}
	if (esptun_nl_get_side(a[ESPTUN_A_SA_SEL_REMOTE], a[ESPTUN_A_SA_SEL_REMOTE_LAST],
			       a[ESPTUN_A_SA_SEL_REMOTE_PORT], s, &s->remote)) {
		NL_SET_ERR_MSG(extack, "sel-remote: not one or two addresses of the same family");
		return -EINVAL;
	}
	if (s->family && !a[ESPTUN_A_SA_SEL_LOCAL])
		esptun_selector_all(&s->local, s->family);
	if (s->family && !a[ESPTUN_A_SA_SEL_REMOTE])
		esptun_selector_all(&s->remote, s->family);
	return 0;
}

static int esptun_nl_new(struct esptun_dev *tun, struct genl_info *info)
{
	struct esptun_sa_params p = { };
	int err;

	esptun_nl_get_params(info->attrs, &p);
	err = esptun_nl_get_selector(info->attrs, &p.selector, info->extack);
	if (!err)
		err = esptun_sa_new(tun, &p, info->extack);
	if (!err)
		esptun_device_settle(tun);
	return err;
}

int esptun_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = esptun_nl_on_device(info, ESPTUN_NL_NEED_NEW, esptun_nl_new);

	esptun_nl_wipe_keys(info);
	return err;
}

static int esptun_nl_alloc_spi(struct esptun_dev *tun, struct genl_info *info)
{
	struct sk_buff *msg;
	__be32 spi = 0;
	void *head;
	int err;

	err = esptun_sadb_reserve(tun, &spi, info->extack);
	if (err)
		return err;
	/* If the reply fails the reservation runs out by itself. */
	msg = esptun_nl_reply(info, ESPTUN_CMD_SA_ALLOC_SPI, &head);
	if (!msg)
		return -ENOMEM;
	err = nla_put_u32(msg, ESPTUN_A_SA_IFINDEX, tun->dev->ifindex) ||
	      nla_put_be32(msg, ESPTUN_A_SA_SPI, spi);
	return esptun_nl_send(info, msg, head, err ? -EMSGSIZE : 0);
}

int esptun_nl_sa_alloc_spi_doit(struct sk_buff *skb, struct genl_info *info)
{
	return esptun_nl_on_device(info, 0, esptun_nl_alloc_spi);
}

static int esptun_nl_activate(struct esptun_dev *tun, struct genl_info *info)
{
	int err = esptun_sa_activate(tun, esptun_nl_spi(info), info->extack);

	if (!err)
		esptun_device_settle(tun);
	return err;
}

int esptun_nl_sa_activate_doit(struct sk_buff *skb, struct genl_info *info)
{
	return esptun_nl_on_device(info, ESPTUN_NL_NEED_SPI, esptun_nl_activate);
}

static int esptun_nl_del(struct esptun_dev *tun, struct genl_info *info)
{
	return esptun_sa_del(tun, esptun_nl_dir(info), esptun_nl_spi(info), info->extack);
}

int esptun_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return esptun_nl_on_device(info, ESPTUN_NL_NEED_NAME, esptun_nl_del);
}

/* The next device of @net after @id with a reference, NULL at the end. */
static struct esptun_dev *esptun_nl_next_device(struct net *net, unsigned long *id)
{
	struct esptun_dev *tun;

	rcu_read_lock();
	while ((tun = esptun_device_next(id)))
		if (net_eq(dev_net(tun->dev), net) && !tun->tunnel_id)
			break;
	if (tun)
		dev_hold(tun->dev);
	rcu_read_unlock();
	return tun;
}

static int esptun_nl_flush(struct esptun_dev *tun, struct genl_info *info)
{
	esptun_sa_flush(tun, ESPTUN_DELETE_REASON_FLUSH);
	return 0;
}

int esptun_nl_sa_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_dev *tun;
	unsigned long id = 0;

	if (info->attrs[ESPTUN_A_SA_IFINDEX])
		return esptun_nl_on_device(info, 0, esptun_nl_flush);
	while ((tun = esptun_nl_next_device(genl_info_net(info), &id))) {
		esptun_nl_flush(tun, info);
		dev_put(tun->dev);
	}
	return 0;
}

static int esptun_nl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, ESPTUN_A_SA_PAD);
}

static int esptun_nl_put_algs(struct sk_buff *skb, const struct esptun_sa *sa)
{
	const char *driver = crypto_tfm_alg_driver_name(crypto_aead_tfm(sa->crypto.tfm));

	return nla_put_u32(skb, ESPTUN_A_SA_ENCR, sa->encr) ||
	       nla_put_u32(skb, ESPTUN_A_SA_ENCR_KEY_LEN, sa->encr_bits) ||
	       nla_put_u32(skb, ESPTUN_A_SA_AUTH, sa->auth) ||
	       nla_put_u32(skb, ESPTUN_A_SA_AUTH_KEY_LEN, sa->auth_bits) ||
	       nla_put_u32(skb, ESPTUN_A_SA_FLAGS, sa->flags) ||
	       nla_put_string(skb, ESPTUN_A_SA_DRIVER, driver);
}

static int esptun_nl_put_limits(struct sk_buff *skb, const struct esptun_limits *l)
{
	const struct {
		int attr;
		u64 value;
	} limits[] = {
		{ ESPTUN_A_SA_SOFT_BYTES, l->soft_bytes },
		{ ESPTUN_A_SA_HARD_BYTES, l->hard_bytes },
		{ ESPTUN_A_SA_SOFT_PACKETS, l->soft_packets },
		{ ESPTUN_A_SA_HARD_PACKETS, l->hard_packets },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].value && esptun_nl_put_u64(skb, limits[i].attr, limits[i].value))
			return -EMSGSIZE;
	return 0;
}

static int esptun_nl_put_traffic(struct sk_buff *skb, const struct esptun_sa *sa)
{
	struct esptun_totals sum;

	esptun_stats_totals(sa->stats, &sum);
	return esptun_nl_put_u64(skb, ESPTUN_A_SA_SEQ, esptun_sa_seq(sa)) ||
	       esptun_nl_put_u64(skb, ESPTUN_A_SA_BYTES, sum.bytes) ||
	       esptun_nl_put_u64(skb, ESPTUN_A_SA_PACKETS, sum.packets) ||
	       esptun_nl_put_u64(skb, ESPTUN_A_SA_CREATED, sa->created) ||
	       esptun_nl_put_u64(skb, ESPTUN_A_SA_LAST_USED, sum.used);
}

static int esptun_nl_put_side(struct sk_buff *skb, int first, int last, u8 family,
			      const struct esptun_selector_side *side)
{
	unsigned int len = esptun_selector_addr_len(family);
	u8 octets[16];

	esptun_selector_store(&side->first, octets, family);
	if (nla_put(skb, first, len, octets))
		return -EMSGSIZE;
	esptun_selector_store(&side->last, octets, family);
	return nla_put(skb, last, len, octets);
}

static int esptun_nl_put_selector(struct sk_buff *skb, const struct esptun_selector *s)
{
	if (s->family &&
	    (esptun_nl_put_side(skb, ESPTUN_A_SA_SEL_LOCAL, ESPTUN_A_SA_SEL_LOCAL_LAST,
				s->family, &s->local) ||
	     esptun_nl_put_side(skb, ESPTUN_A_SA_SEL_REMOTE, ESPTUN_A_SA_SEL_REMOTE_LAST,
				s->family, &s->remote)))
		return -EMSGSIZE;
	if (s->proto && nla_put_u8(skb, ESPTUN_A_SA_SEL_PROTO, s->proto))
		return -EMSGSIZE;
	if (s->local.port &&
	    nla_put_be16(skb, ESPTUN_A_SA_SEL_LOCAL_PORT, cpu_to_be16(s->local.port)))
		return -EMSGSIZE;
	if (s->remote.port &&
	    nla_put_be16(skb, ESPTUN_A_SA_SEL_REMOTE_PORT, cpu_to_be16(s->remote.port)))
		return -EMSGSIZE;
	return 0;
}

static int esptun_nl_put_encap(struct sk_buff *skb, const struct esptun_sa *sa)
{
	__be16 peer_port;

	if (!sa->encap)
		return 0;
	rcu_read_lock();
	peer_port = rcu_dereference(sa->tun->path)->port;
	rcu_read_unlock();
	if (nla_put_u32(skb, ESPTUN_A_SA_ENCAP, ESPTUN_ENCAP_UDP) ||
	    nla_put_be16(skb, ESPTUN_A_SA_ENCAP_LOCAL_PORT, sa->encap_port) ||
	    nla_put_be16(skb, ESPTUN_A_SA_ENCAP_PEER_PORT, peer_port))
		return -EMSGSIZE;
	return sa->keepalive ? nla_put_u32(skb, ESPTUN_A_SA_KEEPALIVE, sa->keepalive) : 0;
}

static int esptun_nl_put_in(struct sk_buff *skb, const struct esptun_sa *sa)
{
	if (sa->dir != ESPTUN_DIR_IN)
		return 0;
	return nla_put_u32(skb, ESPTUN_A_SA_REPLAY_WINDOW, sa->replay.window) ||
	       nla_put_u8(skb, ESPTUN_A_SA_CONFIRMED, sa->crypto.integrity &&
			  test_bit(ESPTUN_SA_CONFIRMED, &sa->marks));
}

int esptun_nl_put_sa(struct sk_buff *skb, const struct esptun_sa *sa)
{
	if (nla_put_u32(skb, ESPTUN_A_SA_IFINDEX, sa->tun->dev->ifindex) ||
	    nla_put_u32(skb, ESPTUN_A_SA_DIR, sa->dir) ||
	    nla_put_be32(skb, ESPTUN_A_SA_SPI, sa->spi) ||
	    nla_put_u32(skb, ESPTUN_A_SA_STATE, READ_ONCE(sa->state)))
		return -EMSGSIZE;
	if (sa->branch && nla_put_u32(skb, ESPTUN_A_SA_TUNNEL_ID, sa->tun->tunnel_id))
		return -EMSGSIZE;
	if (sa->partner && nla_put_be32(skb, ESPTUN_A_SA_PARTNER_SPI, sa->partner))
		return -EMSGSIZE;
	if (sa->cookie_len && nla_put(skb, ESPTUN_A_SA_COOKIE, sa->cookie_len, sa->cookie))
		return -EMSGSIZE;
	if (esptun_nl_put_algs(skb, sa) || esptun_nl_put_limits(skb, &sa->limits) ||
	    esptun_nl_put_traffic(skb, sa) || esptun_nl_put_in(skb, sa) ||
	    esptun_nl_put_encap(skb, sa) ||
	    esptun_nl_put_selector(skb, &sa->selector))
		return -EMSGSIZE;
	return esptun_nl_put_drops(skb, ESPTUN_A_SA_DROPS, ESPTUN_A_SA_LAST_ERROR,
				   (struct esptun_drops *)&sa->drops);
}

static int esptun_nl_show(struct esptun_dev *tun, struct genl_info *info)
{
	struct esptun_sa *sa;
	struct sk_buff *msg;
	void *head;
	int err;

	msg = esptun_nl_reply(info, ESPTUN_CMD_SA_GET, &head);
	if (!msg)
		return -ENOMEM;
	rcu_read_lock();
	sa = esptun_sa_find(tun, esptun_nl_dir(info), esptun_nl_spi(info));
	err = sa ? esptun_nl_put_sa(msg, sa) : -ENOENT;
	rcu_read_unlock();
	if (!sa)
		NL_SET_ERR_MSG(info->extack, "spi: the device has no such SA in this direction");
	return esptun_nl_send(info, msg, head, err);
}

int esptun_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return esptun_nl_on_device(info, ESPTUN_NL_NEED_NAME, esptun_nl_show);
}

static int esptun_nl_dump_sa(struct sk_buff *skb, struct netlink_callback *cb,
			     const struct esptun_sa *sa)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				 &esptun_nl_family, NLM_F_MULTI, ESPTUN_CMD_SA_GET);

	if (!head)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, head);
	if (esptun_nl_put_sa(skb, sa)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

/* The SAs of one device from cb->args[1] on; that is the id of the last one shown. */
static int esptun_nl_dump_device(struct sk_buff *skb, struct netlink_callback *cb,
				 struct esptun_dev *tun)
{
	struct esptun_sa *sa;

	list_for_each_entry_rcu(sa, &tun->sas, by_tun) {
		if (sa->id <= cb->args[1])
			continue;
		if (esptun_nl_dump_sa(skb, cb, sa))
			return -EMSGSIZE;
		cb->args[1] = sa->id;
	}
	return 0;
}

/* The device the request asks for; 0: all. The core has checked the attributes. */
static u32 esptun_nl_dump_filter(const struct netlink_callback *cb)
{
	struct nlattr *attr = nlmsg_find_attr(cb->nlh, GENL_HDRLEN, ESPTUN_A_SA_IFINDEX);

	return esptun_nl_get_u32(attr, 0);
}

int esptun_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	unsigned long id = cb->args[0];
	struct esptun_dev *tun;
	u32 ifindex = esptun_nl_dump_filter(cb);

	cb->seq = esptun_nl_generation();
	rcu_read_lock();
	while ((tun = esptun_device_next(&id))) {
		if (net_eq(dev_net(tun->dev), net) &&
		    (!ifindex || tun->dev->ifindex == ifindex) &&
		    esptun_nl_dump_device(skb, cb, tun))
			break;
		cb->args[0] = id;
		cb->args[1] = 0;
	}
	rcu_read_unlock();
	return skb->len;
}

void esptun_nl_sa_event(u8 cmd, const struct esptun_sa *sa)
{
	struct sk_buff *msg;
	void *head;

	msg = esptun_nl_event(sa->tun, cmd, &head);
	if (msg)
		esptun_nl_multicast(sa->tun, msg, head, esptun_nl_put_sa(msg, sa));
}

void esptun_nl_sa_deleted(const struct esptun_sa *sa, u32 reason)
{
	struct sk_buff *msg;
	void *head;

	msg = esptun_nl_event(sa->tun, ESPTUN_CMD_SA_DELETED_NTF, &head);
	if (msg)
		esptun_nl_multicast(sa->tun, msg, head,
				    nla_put_u32(msg, ESPTUN_A_SA_REASON, reason) ||
				    esptun_nl_put_sa(msg, sa));
}
