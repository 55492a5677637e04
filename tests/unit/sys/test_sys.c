/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_sys.c: the part of sys.c that is about processes: signals, the
 * channel between master and worker, the clock and limits. What changes the
 * process for good is done in a child.
 */
#include "sys/channel.h"
#include "sys/clock.h"
#include "sys/processors.h"
#include "sys/rlimit.h"
#include "sys/signals.h"

#include <sys/syscall.h>

#include <sched.h>

#include "helpers.h"

int	__wrap_fcntl(int, int, long);
int	__wrap_fcntl64(int, int, long);

/* errno of the next such call */
static int	fail_fcntl, fail_recvmsg, fail_getaffinity;

static struct {
	bool	on;
	int	get_error, set_error;
	struct rlimit now;
} limits;				/* of a machine we do not have */

static bool
fails(int *err)
{
	if (*err == 0)
		return false;
	errno = *err;
	*err = 0;
	return true;
}

int
__wrap_fcntl(int fd, int what, long arg)
{
	return fails(&fail_fcntl) ? -1 :
	    (int)syscall(SYS_fcntl, fd, what, arg);
}

/* What some systems call it. */
int
__wrap_fcntl64(int fd, int what, long arg)
{
	return __wrap_fcntl(fd, what, arg);
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return fails(&fail_recvmsg) ? -1 : __real_recvmsg(fd, msg, flags);
}

int
__wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	return fails(&fail_getaffinity) ? -1 :
	    __real_sched_getaffinity(pid, size, set);
}

int
__wrap_getrlimit(int what, struct rlimit *rl)
{
	if (!limits.on)
		return __real_getrlimit(what, rl);
	assert_int_equal(what, RLIMIT_NOFILE);
	*rl = limits.now;
	return fails(&limits.get_error) ? -1 : 0;
}

int
__wrap_setrlimit(int what, const struct rlimit *rl)
{
	if (!limits.on)
		return __real_setrlimit(what, rl);
	assert_int_equal(what, RLIMIT_NOFILE);
	if (fails(&limits.set_error))
		return -1;
	assert_true(rl->rlim_cur <= rl->rlim_max);
	limits.now = *rl;
	return 0;
}

static int	before;			/* descriptors open */

int
set_up(void)
{
	before = open_descriptors();
	return 0;
}

int
tear_down(void)
{
	memset(&limits, 0, sizeof(limits));
	return open_descriptors() == before ? 0 : -1;
}

TEST(signals)
{
	sigset_t set, old, now;
	int fd, first, second;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, NULL, &old);
	fd = (int)MUST(signals_open(&set));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	sigprocmask(SIG_SETMASK, NULL, &now);
	assert_true(sigismember(&now, SIGUSR1) && sigismember(&now, SIGTERM));
	assert_false(sigismember(&now, SIGINT));
	assert_int_equal(signals_next(fd), 0);
	assert_false(comes(fd, POLLIN, 0));
	raise(SIGUSR1);
	raise(SIGTERM);
	raise(SIGUSR1);
	assert_true(comes(fd, POLLIN, PATIENCE));
	first = signals_next(fd);
	second = signals_next(fd);
	assert_true((first == SIGUSR1 && second == SIGTERM) ||
	    (first == SIGTERM && second == SIGUSR1));
	assert_int_equal(signals_next(fd), 0);
	assert_false(comes(fd, POLLIN, 0));
	close(fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

TEST(signals_blocked_before_stay_so)
{
	sigset_t set, old, now;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd = (int)MUST(signals_open(&set));
	sigprocmask(SIG_SETMASK, &old, &now);
	assert_true(sigismember(&now, SIGHUP) && sigismember(&now, SIGUSR1));
	close(fd);
}

/* In a child: SIGCHLD is changed for good. */
static int
hold_signals(void)
{
	static const int held[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1,
	    SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU, SIGCHLD };
	sigset_t set, now;
	pid_t pid;
	size_t i;

	sigemptyset(&set);
	sigaddset(&set, SIGXFSZ);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGCHLD, SIG_IGN);
	signals_hold(&set);
	sigprocmask(SIG_SETMASK, NULL, &now);
	for (i = 0; i < COUNT(held); i++) {
		if (!sigismember(&set, held[i]) || !sigismember(&now, held[i]))
			return 1;
		/* Held, so none of them ends us. */
		raise(held[i]);
	}
	if (sigismember(&now, SIGALRM) || sigismember(&now, SIGSEGV) ||
	    !sigismember(&now, SIGXFSZ) || sigismember(&set, SIGXFSZ))
		return 2;
	/* Whoever started us ignored it: children can be waited for. */
	if ((pid = fork()) == 0)
		_exit(7);
	return pid != -1 && waitpid(pid, NULL, 0) == pid ? 0 : 3;
}

TEST(hold_signals)
{
	pid_t pid;

	if ((pid = (pid_t)MUST(fork())) == 0)
		_exit(hold_signals());
	assert_int_equal(wait_child(pid), 0);
}

/* What came before the call, and was blocked, is not lost. */
TEST(signals_that_came_early)
{
	sigset_t set, old;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGUSR2);
	fd = (int)MUST(signals_open(&set));
	assert_true(comes(fd, POLLIN, 0));
	assert_int_equal(signals_next(fd), SIGUSR2);
	close(fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

TEST(signals_without_descriptors)
{
	sigset_t set;
	rlim_t limit;
	int rc;

	sigemptyset(&set);
	limit = forbid_descriptors();
	rc = signals_open(&set);
	allow_descriptors(limit);
	assert_int_equal(rc, -1);
	assert_int_equal(errno, EMFILE);
}

TEST(channel)
{
	int pair[2], passed = 99;
	char what = 0;

	assert_int_equal(channel_open(pair), 0);
	assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
	assert_false(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(pair[1], F_GETFL) & O_NONBLOCK);
	assert_int_equal(channel_receive(pair[1], &what, &passed), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(channel_send(pair[0], 'a', -1), 0);
	assert_int_equal(channel_send(pair[0], 'b', -1), 0);
	assert_int_equal(channel_receive(pair[1], &what, &passed), 1);
	assert_int_equal(what, 'a');
	assert_int_equal(passed, -1);
	assert_int_equal(channel_receive(pair[1], &what, &passed), 1);
	assert_int_equal(what, 'b');
	assert_int_equal(channel_receive(pair[1], &what, &passed), -1);
	assert_int_equal(channel_send(pair[1], 'c', -1), 0);
	assert_int_equal(channel_receive(pair[0], &what, &passed), 1);
	assert_int_equal(what, 'c');
	close_pair(pair);
}

TEST(channel_carries_a_descriptor)
{
	int pair[2], pass[2], passed = -1;
	struct stat a, b;
	char what, text[8];

	assert_int_equal(channel_open(pair), 0);
	MUST(pipe(pass));
	assert_int_equal(channel_send(pair[0], 'd', pass[1]), 0);
	assert_int_equal(channel_send(pair[0], 'e', -1), 0);
	assert_int_equal(channel_receive(pair[1], &what, &passed), 1);
	assert_int_equal(what, 'd');
	assert_true(is_open(passed));
	assert_int_equal(fcntl(passed, F_GETFD), FD_CLOEXEC);
	MUST(fstat(pass[1], &a));
	MUST(fstat(passed, &b));
	assert_int_equal(a.st_ino, b.st_ino);
	close(pass[1]);
	write_text(passed, "hi");
	close(passed);
	assert_string_equal(read_text(pass[0], text, sizeof(text)), "hi");
	assert_int_equal(channel_receive(pair[1], &what, &passed), 1);
	assert_int_equal(what, 'e');
	assert_int_equal(passed, -1);
	close(pass[0]);
	close_pair(pair);
}

/* At the limit the message comes through, without its descriptor. */
TEST(channel_at_the_descriptor_limit)
{
	int pair[2], passed = 99, rc;
	rlim_t limit;
	char what = 0;

	assert_int_equal(channel_open(pair), 0);
	assert_int_equal(channel_send(pair[0], 'f', STDERR_FILENO), 0);
	limit = forbid_descriptors();
	rc = channel_receive(pair[1], &what, &passed);
	allow_descriptors(limit);
	assert_int_equal(rc, 1);
	assert_int_equal(what, 'f');
	assert_int_equal(passed, -1);
	close_pair(pair);
}

TEST(channel_whose_other_end_is_gone)
{
	int pair[2], passed, end;
	char what;

	for (end = 0; end < 2; end++) {
		assert_int_equal(channel_open(pair), 0);
		assert_int_equal(channel_send(pair[end], 'g', -1), 0);
		close(pair[end]);
		assert_int_equal(
		    channel_receive(pair[!end], &what, &passed), 1);
		assert_int_equal(
		    channel_receive(pair[!end], &what, &passed), 0);
		assert_int_equal(passed, -1);
		/* Without SIGPIPE, which would end this program. */
		assert_int_equal(channel_send(pair[!end], 'h', -1), -1);
		assert_int_equal(errno, EPIPE);
		close(pair[!end]);
	}
	/* It died before it read our message. */
	assert_int_equal(channel_open(pair), 0);
	assert_int_equal(channel_send(pair[0], 'i', -1), 0);
	close(pair[1]);
	assert_int_equal(channel_receive(pair[0], &what, &passed), 0);
	close(pair[0]);
}

/* Send *len* bytes and two descriptors, if that is asked for. */
static void
send_more(int fd, size_t len, bool descriptors)
{
	union {
		char	 room[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { .room = { 0 } };
	int passed[2] = { STDERR_FILENO, STDERR_FILENO };
	char text[10] = "more";
	struct iovec iov = { .iov_base = text, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (descriptors) {
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(passed));
		memcpy(CMSG_DATA(c), passed, sizeof(passed));
	}
	assert_int_equal(sendmsg(fd, &msg, 0), len);
}

/* Where there is room for two descriptors one is taken, and none is left over. */
TEST(channel_takes_one_descriptor)
{
	size_t at_first = open_descriptors();
	int pair[2], passed = -1;
	char what;

	assert_int_equal(channel_open(pair), 0);
	send_more(pair[0], 1, true);
	assert_int_equal(channel_receive(pair[1], &what, &passed), 1);
	assert_true(is_open(passed));
	close(passed);
	close_pair(pair);
	assert_int_equal(open_descriptors(), at_first);
}

/* From one that is not trusted: one byte, no descriptor, and no waiting. */
TEST(hear)
{
	size_t at_first;
	int pair[2];
	char what = 0;

	assert_int_equal(channel_open(pair), 0);
	at_first = open_descriptors();
	assert_int_equal(channel_receive_untrusted(pair[0], &what), -1);
	assert_int_equal(errno, EAGAIN);
	send_more(pair[1], 4, false);
	send_more(pair[1], 1, true);
	send_more(pair[1], 0, true);
	assert_int_equal(channel_send(pair[1], 'x', -1), 0);
	assert_int_equal(channel_receive_untrusted(pair[0], &what), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(channel_receive_untrusted(pair[0], &what), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(channel_receive_untrusted(pair[0], &what), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(open_descriptors(), at_first);
	fail_recvmsg = EINTR;
	assert_int_equal(channel_receive_untrusted(pair[0], &what), 1);
	assert_int_equal(what, 'x');
	fail_recvmsg = ECONNRESET;
	assert_int_equal(channel_receive_untrusted(pair[0], &what), 0);
	close(pair[1]);
	assert_int_equal(channel_receive_untrusted(pair[0], &what), 0);
	close(pair[0]);
}

TEST(channel_never_waits_to_send)
{
	int pair[2], sent = 0, passed;
	char what;

	assert_int_equal(channel_open(pair), 0);
	while (sent < 100000 && channel_send(pair[0], 'j', -1) == 0)
		sent++;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(sent, 1, 99999);
	while (channel_receive(pair[1], &what, &passed) == 1)
		sent--;
	assert_int_equal(sent, 0);
	assert_int_equal(channel_send(pair[0], 'k', -1), 0);
	close_pair(pair);
}

TEST(channel_errors)
{
	int pair[2], passed = 99, rc;
	rlim_t limit;
	char what;

	limit = forbid_descriptors();
	rc = channel_open(pair);
	allow_descriptors(limit);
	assert_int_equal(rc, -1);
	assert_int_equal(errno, EMFILE);
	fail_fcntl = ENOMEM;
	assert_int_equal(channel_open(pair), -1);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(channel_open(pair), 0);
	fail_recvmsg = EINTR;
	assert_int_equal(channel_receive(pair[1], &what, &passed), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(passed, -1);
	fail_recvmsg = ENOBUFS;
	assert_int_equal(channel_receive(pair[1], &what, &passed), -1);
	fail_recvmsg = ECONNRESET;
	assert_int_equal(channel_receive(pair[1], &what, &passed), 0);
	close_pair(pair);
	/* An error that comes again at once is an end as well. */
	assert_int_equal(channel_receive(pair[1], &what, &passed), 0);
	assert_int_equal(errno, EBADF);
}

TEST(clock)
{
	uint64_t a = clock_ms(), b = clock_now_ms(), c = clock_ms(), last = b,
		 now;
	int i;

	assert_in_range(b, a, c);
	assert_in_range(clock_now_us(), a * 1000, (clock_ms() + 1) * 1000);
	for (i = 0; i < 1000; i++) {
		now = clock_now_ms();
		assert_true(now >= last);
		last = now;
	}
	assert_int_equal(poll(NULL, 0, 20), 0);
	assert_in_range(clock_now_ms() - last, 19, PATIENCE);
}

TEST(processors)
{
	cpu_set_t set;
	pid_t pid;
	int cpu;

	MUST(sched_getaffinity(0, sizeof(set), &set));
	assert_int_equal(processors_count(), CPU_COUNT(&set));
	fail_getaffinity = EINVAL;
	assert_int_equal(processors_count(), 1);
	if ((pid = (pid_t)MUST(fork())) == 0) {
		for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++)
			continue;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		_exit(sched_setaffinity(0, sizeof(set), &set) == -1 ? 99 :
		    (int)processors_count());
	}
	assert_int_equal(wait_child(pid), 1);
}

/* In a child: it could not get back what it gave up. */
static int
pin(unsigned i, const cpu_set_t *all)
{
	cpu_set_t now;
	int cpu, n = 0;

	if (processors_pin(i) == -1 ||
	    sched_getaffinity(0, sizeof(now), &now) == -1)
		return 1;
	if (CPU_COUNT(&now) != 1)
		return 2;
	for (cpu = 0; !CPU_ISSET(cpu, &now); cpu++)
		n += CPU_ISSET(cpu, all) != 0;
	return n == (int)i % CPU_COUNT(all) ? 0 : 3;
}

TEST(pin)
{
	cpu_set_t set;
	unsigned i;
	pid_t pid;

	MUST(sched_getaffinity(0, sizeof(set), &set));
	for (i = 0; i < 5; i++) {
		if ((pid = (pid_t)MUST(fork())) == 0)
			_exit(pin(i, &set));
		assert_int_equal(wait_child(pid), 0);
	}
	fail_getaffinity = EINVAL;
	assert_int_equal(processors_pin(0), -1);
	assert_int_equal(errno, EINVAL);
}

#define MILLION	((rlim_t)1 << 20)

static const struct {
	rlim_t	soft, hard, then;	/* the soft limit afterwards */
	size_t	told;
} raised[] = {
	{ 1024, 4096, 4096, 4096 },
	{ 4096, 4096, 4096, 4096 },
	{ 64, 64, 64, 64 },
	{ 1024, MILLION, MILLION, MILLION },
	{ 1024, MILLION + 1, MILLION, MILLION },
	{ 1024, (rlim_t)1 << 30, MILLION, MILLION },
	{ 1024, RLIM_INFINITY, MILLION, MILLION },
	/* Lowering it is none of our business. */
	{ (rlim_t)1 << 30, (rlim_t)1 << 30, (rlim_t)1 << 30, MILLION },
	{ RLIM_INFINITY, RLIM_INFINITY, RLIM_INFINITY, MILLION },
};

TEST(raise_descriptors)
{
	size_t i, told;

	for (i = 0; i < COUNT(raised); i++) {
		limits.on = true;
		limits.now.rlim_cur = raised[i].soft;
		limits.now.rlim_max = raised[i].hard;
		told = rlimit_raise_descriptors();
		limits.on = false;
		assert_int_equal(told, raised[i].told);
		assert_int_equal(limits.now.rlim_cur, raised[i].then);
		assert_int_equal(limits.now.rlim_max, raised[i].hard);
	}
}

TEST(raise_descriptors_fails)
{
	size_t told;

	limits.on = true;
	limits.now.rlim_cur = 100;
	limits.now.rlim_max = 200;
	limits.set_error = EPERM;
	told = rlimit_raise_descriptors();
	assert_int_equal(told, 100);
	limits.get_error = EFAULT;
	told = rlimit_raise_descriptors();
	limits.on = false;
	/* Few enough to be safe, and enough to begin with. */
	assert_in_range(told, 64, 1024);
}

TEST(need_descriptors)
{
	static const struct { rlim_t soft, hard; size_t need; rlim_t then; }
	needed[] = {
		{ 64, 64, 1000, 1000 }, { 64, 999, 1000, 1000 },
		{ 64, 1000, 1000, 1000 }, { 64, 1000, 0, 1000 },
		{ 64, RLIM_INFINITY, 1000, RLIM_INFINITY },
	};
	size_t i;

	for (i = 0; i < COUNT(needed); i++) {
		limits.on = true;
		limits.now.rlim_cur = needed[i].soft;
		limits.now.rlim_max = needed[i].hard;
		rlimit_need_descriptors(needed[i].need);
		limits.on = false;
		assert_int_equal(limits.now.rlim_cur, needed[i].soft);
		assert_int_equal(limits.now.rlim_max, needed[i].then);
	}
	/* Not everybody may. */
	limits.on = true;
	limits.now.rlim_max = 64;
	limits.set_error = EPERM;
	rlimit_need_descriptors(1000);
	limits.get_error = EFAULT;
	rlimit_need_descriptors(1000);
	limits.on = false;
	assert_int_equal(limits.now.rlim_max, 64);
}

TEST(raise_descriptors_for_real)
{
	struct rlimit rl;
	pid_t pid;

	MUST(getrlimit(RLIMIT_NOFILE, &rl));
	if (rl.rlim_max < 2048)
		skip();
	if ((pid = (pid_t)MUST(fork())) == 0) {
		rl.rlim_cur = 100;
		rl.rlim_max = 2000;
		if (setrlimit(RLIMIT_NOFILE, &rl) == -1 ||
		    rlimit_raise_descriptors() != 2000)
			_exit(1);
		_exit(dup2(0, 1999) == 1999 ? 0 : 2);
	}
	assert_int_equal(wait_child(pid), 0);
}
