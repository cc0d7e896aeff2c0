// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Four walls, each of which holds by itself. Where one cannot be built (an old kernel, a start
 * without root) the log says so; without the system call filter nothing is served.
 */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exploit.h"
#include "priv.h"

/* ---- the root directory -------------------------------------------------------------------- */

/* A new directory that is removed again while we hold it: nothing can ever be put there. */
static int empty_root(const char *near)
{
	char *copy = strdup(near), path[4096];
	int err = 0, fd;

	if (!copy)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/.empty.XXXXXX", dirname(copy));
	free(copy);
	if (!mkdtemp(path))
		return -errno;
	fd = open(path, O_DIRECTORY | O_CLOEXEC);
	if (rmdir(path) || fd < 0 || fchdir(fd) || chroot("."))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- Landlock ------------------------------------------------------------------------------- */

/* Every access there was in the first version: all kinds of reading, writing, making, removing. */
#define ACCESS_FS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* A rule set that handles all and allows nothing. */
static int landlock_everything(void)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = ACCESS_FS };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_landlock_restrict_self, fd, 0))
		err = -errno;
	close(fd);
	return err;
}

/* ---- system calls --------------------------------------------------------------------------- */

/* What the event loop, the sockets that are open, memory and time need. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(shutdown),
	SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(getpeername), SCMP_SYS(getsockname),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_settime), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(sysinfo),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int allow_some(scmp_filter_ctx f)
{
	int err = 0;

	/* Memory, but never code. */
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_GETFL));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_SETFL));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_GETFD));
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_SETFD));
	/* fstat() of a descriptor; not stat() of a path. */
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));
	/* abort() sends its signal to itself only. */
	err |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	return err;
}

static int filter_system_calls(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = f ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!err && allow_some(f))
		err = -EINVAL;
	if (!err)
		err = seccomp_load(f);
	if (f)
		seccomp_release(f);
	return err;
}

/* Sanitizers want calls nobody else does; they are for finding mistakes, not for serving. */
#if defined(__SANITIZE_ADDRESS__)
#define FILTER false
#elif defined(ESPTUND_EXPLOIT)
#define FILTER (!exploit_no_filter())
#else
#define FILTER true
#endif

static void say(struct log *log, const char *name, int root, int landlock)
{
	bool whole = !root && !landlock && FILTER;

	log_line(log, whole ? IKE_LOG_INFO : IKE_LOG_NOTICE, "confined", NULL,
		 "the process that talks to peers is %s, root directory %s%s, Landlock %s%s, system call filter %s", name,
		 root ? "as it was: " : "empty", root ? strerror(-root) : "", landlock ? "not in force: " : "in force",
		 landlock ? strerror(-landlock) : "", FILTER ? "in force" : "left out: this is a build for tests");
}

int confine(struct log *log, const char *user, const char *near)
{
	struct priv_user u;
	int err = priv_find_user(log, user, &u), root, landlock;

	if (err)
		return err;
	root = empty_root(near);
	err = priv_drop_all(log, &u);
	if (err)
		return err;
	/* The warden's end is ours: what it has opened for us must not outlive it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	landlock = landlock_everything();
	say(log, u.name, root, landlock);
	err = FILTER ? filter_system_calls() : 0;
	if (err)
		log_line(log, IKE_LOG_ERROR, "privileges-failed", NULL, "cannot filter system calls: %s", strerror(-err));
	return err;
}
