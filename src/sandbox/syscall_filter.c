/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * syscall_filter.c: the system calls that each kind of process needs, loaded
 * into the kernel by libseccomp. Other calls fail with ENOSYS, so that a newer
 * libc falls back to older calls. Calls that only an intruder would make kill
 * the process, so that the master logs them.
 */
#include "config.h"
#include "sandbox/syscall_filter.h"

/* The list was made and tested for these; elsewhere calls have other forms. */
#if defined(HAVE_SECCOMP) && defined(__LP64__) && \
    (defined(__x86_64__) || defined(__aarch64__))

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdint.h>
#include <unistd.h>

#include "board/board.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* A condition on an argument: the low 32 bits of an int, or some bits. */
#define BITS(i, mask, value)						\
	{ .arg = (i), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask),	\
	    .datum_b = (value) }
#define INT(i, value)	BITS(i, UINT32_MAX, value)

/* The type without SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define SOCK_KIND	0xf

static const int allowed[] = {
	/*
	 * sessions and checks: lib/net, lib/relay/shuttle.c, src/prober/check.c
	 */
	SCMP_SYS(connect), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
	/* waiting: lib/event, src/upstream/preconnect.c */
	SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	/* signals, channel, wakeups and log; pid and uid for a log line */
	SCMP_SYS(read), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(getpid),
	SCMP_SYS(geteuid),
	/* time, where the vDSO does not provide it */
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	/* libc: memory, locks, random numbers, abort() and exit() */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit_group),
};

#define ALL	(SYSCALL_FILTER_WORKER | SYSCALL_FILTER_PROBER)

/* For some processes, or with some arguments only. */
static const struct {
	unsigned who;
	int	call;
	unsigned n;
	struct scmp_arg_cmp arg[3];
} limited[] = {
	{ SYSCALL_FILTER_WORKER, SCMP_SYS(accept), 0, { { 0 } } },
	{ SYSCALL_FILTER_WORKER, SCMP_SYS(accept4), 0, { { 0 } } },
	{ SYSCALL_FILTER_WORKER, SCMP_SYS(splice), 0, { { 0 } } },
	{ SYSCALL_FILTER_WORKER, SCMP_SYS(pipe2), 0, { { 0 } } },
	{ SYSCALL_FILTER_WORKER, SCMP_SYS(fcntl), 1, { INT(1, F_SETPIPE_SZ) } },
	{ ALL, SCMP_SYS(ioctl), 1, { INT(1, SIOCOUTQ) } },
	/* Landlock permits only ports that the system chooses */
	{ SYSCALL_FILTER_BIND, SCMP_SYS(bind), 0, { { 0 } } },
	/* the answers of programs: src/prober/check_runner.c */
	{ SYSCALL_FILTER_PROBER, SCMP_SYS(socketpair), 3, { INT(0, AF_UNIX),
	    BITS(1, SOCK_KIND, SOCK_SEQPACKET), INT(2, 0) } },
	/* names: c-ares creates its sockets in its own way */
	{ SYSCALL_FILTER_PROBER, SCMP_SYS(socket), 2, { INT(0, AF_INET),
	    BITS(1, SOCK_KIND, SOCK_DGRAM) } },
	{ SYSCALL_FILTER_PROBER, SCMP_SYS(socket), 2, { INT(0, AF_INET6),
	    BITS(1, SOCK_KIND, SOCK_DGRAM) } },
	{ SYSCALL_FILTER_PROBER, SCMP_SYS(fcntl), 1, { INT(1, F_GETFL) } },
	/* it shares the log file with workers, so it may not make it block */
	{ SYSCALL_FILTER_PROBER, SCMP_SYS(fcntl), 2, { INT(1, F_SETFL),
	    BITS(2, O_NONBLOCK, O_NONBLOCK) } },
	{ SYSCALL_FILTER_PROBER, SCMP_SYS(fcntl), 1, { INT(1, F_GETFD) } },
	{ SYSCALL_FILTER_PROBER, SCMP_SYS(fcntl), 1, { INT(1, F_SETFD) } },
	{ ALL, SCMP_SYS(socket), 3, { INT(0, AF_INET),
	    BITS(1, SOCK_KIND, SOCK_STREAM), INT(2, 0) } },
	{ ALL, SCMP_SYS(socket), 3, { INT(0, AF_INET6),
	    BITS(1, SOCK_KIND, SOCK_STREAM), INT(2, 0) } },
	{ ALL, SCMP_SYS(socket), 3, { INT(0, AF_UNIX),
	    BITS(1, SOCK_KIND, SOCK_STREAM), INT(2, 0) } },
	/* wakeups: that signal alone, and to one process, not to groups */
	{ ALL, SCMP_SYS(kill), 2, { BITS(0, UINT32_C(1) << 31, 0),
	    INT(1, BOARD_WAKEUP) } },
	{ ALL, SCMP_SYS(mmap), 1, { BITS(2, PROT_EXEC, 0) } },
	{ ALL, SCMP_SYS(mprotect), 1, { BITS(2, PROT_EXEC, 0) } },
};

static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork),
	SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
};

/* Optional attributes; the filter works without them. */
static void
tune_filter(scmp_filter_ctx f)
{
	/* A tree of comparisons instead of a chain. */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* Log refused calls in the kernel's log. */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
	/*
	 * Kernels before 5.16 would also disable speculative store bypass, at a
	 * cost; that is for processes that run foreign code.
	 */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
	/* Return errors of the kernel, not of the library. */
	(void)seccomp_attr_set(f, SCMP_FLTATR_API_SYSRAWRC, 1);
}

/* A call that this architecture lacks needs no rule. */
static int
add_rule(scmp_filter_ctx f, uint32_t action, int call, unsigned n,
    const struct scmp_arg_cmp *arg)
{
	int rc = seccomp_rule_add_array(f, action, call, n, arg);

	return rc == -EDOM ? 0 : rc;
}

static int
fill_filter(scmp_filter_ctx f, unsigned who)
{
	struct scmp_arg_cmp self = INT(0, (scmp_datum_t)getpid());
	size_t i;
	int rc = 0;

	for (i = 0; i < COUNT(allowed) && rc == 0; i++)
		rc = add_rule(f, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (i = 0; i < COUNT(limited) && rc == 0; i++)
		if (limited[i].who & who)
			rc = add_rule(f, SCMP_ACT_ALLOW, limited[i].call,
			    limited[i].n, limited[i].arg);
	/*
	 * Kernels before 4.14 cannot kill the process: there the calls are
	 * refused.
	 */
	for (i = 0; i < COUNT(deadly); i++)
		(void)add_rule(f, SCMP_ACT_KILL_PROCESS, deadly[i], 0, NULL);
	/* abort() */
	return rc == 0 ? add_rule(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    &self) : rc;
}

int
syscall_filter_load(unsigned who)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int rc;

	if (f == NULL) {
		errno = ENOMEM;
		return -1;
	}
	tune_filter(f);
	if ((rc = fill_filter(f, who)) == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	errno = -rc;
	return rc == 0 ? 1 : -1;
}

bool
syscall_filter_exists(void)
{
	return true;
}

#else

bool
syscall_filter_exists(void)
{
	return false;
}

int
syscall_filter_load(unsigned who)
{
	(void)who;
	return 0;
}

#endif
