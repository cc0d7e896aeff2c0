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
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEEP ((uint64_t)1 << CAP_NET_ADMIN | (uint64_t)1 << CAP_NET_BIND_SERVICE)

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
static int bounding_set_drop(void)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int have = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (have < 0)
			return 0;	/* past the last capability this kernel has */
		if (have && !(KEEP >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int become(const char *user)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return errno ? -errno : -ENOENT;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || initgroups(user, pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) || setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return -errno;
	/* A change of user makes a process undumpable by itself; say it again all the same. */
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
}

int priv_drop(struct log *log, const char *user)
{
	uint64_t have = 0;
	int err = bounding_set_drop();

	if (!err && user) {
		err = become(user);
		if (err)
			log_line(log, IKE_LOG_ERROR, "user-switch-failed", NULL, "cannot become user \"%s\": %s", user,
				 strerror(-err));
	}
	if (!err)
		err = caps_get(&have);
	if (!err)
		err = caps_set(have & KEEP);
	if (err) {
		log_line(log, IKE_LOG_ERROR, "privileges-failed", NULL, "cannot drop privileges: %s", strerror(-err));
		return err;
	}
	if (!(have >> CAP_NET_ADMIN & 1))
		log_line(log, IKE_LOG_WARNING, "no-net-admin", NULL,
			 "running without CAP_NET_ADMIN: no SA can be installed in the kernel");
	return 0;
}
