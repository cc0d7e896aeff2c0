// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the reduction of privileges. Uses the capability system calls through libc's
 * syscall(): three calls do not justify a library.
 */
#define _GNU_SOURCE
#include "priv.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NET_ADMIN ((uint64_t)1 << CAP_NET_ADMIN)

int priv_harden(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none))
		return -errno;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

static int caps_get(uint64_t *permitted)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return -errno;
	*permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted;
	return 0;
}

static int caps_set(uint64_t caps)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	memset(d, 0, sizeof(d));
	d[0].effective = d[0].permitted = (uint32_t)caps;
	d[1].effective = d[1].permitted = (uint32_t)(caps >> 32);
	return syscall(SYS_capset, &h, d) ? -errno : 0;
}

/* So that no later execve could give a dropped capability back. */
static int bounding_set_drop(uint64_t keep)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int have = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (have < 0)
			return 0;	/* past the last capability this kernel has */
		if (have && !(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int failed(struct log *log, int err)
{
	if (err)
		log_line(log, IKE_LOG_ERROR, "privileges-failed", NULL, "cannot drop privileges: %s", strerror(-err));
	return err;
}

int priv_keep_net_admin(struct log *log)
{
	uint64_t have = 0;
	int err = bounding_set_drop(NET_ADMIN);

	if (!err)
		err = caps_get(&have);
	if (!err)
		err = caps_set(have & NET_ADMIN);
	if (!err && !(have & NET_ADMIN))
		log_line(log, IKE_LOG_WARNING, "no-net-admin", NULL,
			 "running without CAP_NET_ADMIN: no SA can be installed in the kernel");
	return failed(log, err);
}

/* ---- another user ------------------------------------------------------------------------ */

static int no_user(struct log *log, const char *user, int err)
{
	log_line(log, IKE_LOG_ERROR, "user-switch-failed", NULL, "cannot become user \"%s\": %s", user, strerror(-err));
	return err;
}

int priv_find_user(struct log *log, const char *user, struct priv_user *u)
{
	static const char *const usual[] = { "esptun", "nobody" };
	const struct passwd *pw = NULL;

	*u = (struct priv_user){ .name = "the user that started it", .stay = !user && geteuid() };
	if (u->stay)
		return 0;
	errno = 0;
	for (size_t i = 0; !user && !pw && i < sizeof(usual) / sizeof(usual[0]); i++)
		pw = getpwnam(usual[i]);
	if (user)
		pw = getpwnam(user);
	if (!pw)
		return no_user(log, user ? user : usual[0], errno ? -errno : -ENOENT);
	snprintf(u->name, sizeof(u->name), "%s", pw->pw_name);
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	return 0;
}

int priv_drop_all(struct log *log, const struct priv_user *u)
{
	int err = bounding_set_drop(0);

	if (err)
		return failed(log, err);
	if (!u->stay && (setgroups(0, NULL) || setresgid(u->gid, u->gid, u->gid) || setresuid(u->uid, u->uid, u->uid)))
		return no_user(log, u->name, -errno);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	err = caps_set(0);
	/* A change of user makes a process undumpable by itself; say it again all the same. */
	if (!err && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		err = -errno;
	return failed(log, err);
}
