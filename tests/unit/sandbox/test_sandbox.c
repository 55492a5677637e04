/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_sandbox.c: a child for each thing that somebody might try in a worker; it is
 * shut in by the function that shuts in workers. What they need still works,
 * the rest is refused. Then old kernels, and those that refuse.
 */
#include "config.h"
#include "sandbox/sandbox.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>

#include "sandbox/syscall_filter.h"
#include "board/board.h"
#include "helpers.h"
#include "log/log.h"
#include "sys/channel.h"
#include "sys/signals.h"
#include "net/socket.h"

#define KILLED		(128 + SIGSYS)
#define WORKED		100		/* exit status; below: errno */
#define UNABLE		101		/* could not even be shut in */

static unsigned	as = SYSCALL_FILTER_WORKER;
static bool	no_filter;
static bool	filter_there = true;	/* in this build */
static int	filter_error;		/* of the next syscall_filter_load() */

/* A kernel that we do not have. */
static struct {
	bool	on;
	long	version;		/* of Landlock; -1: none */
	int	error;			/* of landlock_restrict_self() */
	uint64_t given[3];		/* the ruleset */
} kernel;

static char	dir[64];
static char	file[80];		/* that is not there */
static char	*none[] = { NULL };
static pid_t	parent;
static struct sockaddr_un	path;	/* somebody listens there */
static struct sockaddr_in	port;	/* and there */
static int	listeners[2];

int
__wrap_syscall_filter_load(unsigned who)
{
	errno = filter_error;
	return filter_error != 0 ? -1 : no_filter ? 0 :
	    __real_syscall_filter_load(who);
}

bool
__wrap_syscall_filter_exists(void)
{
	return filter_there;
}

long
__wrap_syscall(long n, long a, long b, long c, long d)
{
	if (!kernel.on)
		return __real_syscall(n, a, b, c, d);
	errno = n == 444 ? ENOSYS : kernel.error;
	if (n == 446)
		return kernel.error == 0 ? 0 : -1;
	if (a == 0)
		return kernel.version;
	memcpy(kernel.given, (void *)a, (size_t)b);
	return open("/dev/null", O_RDONLY);
}

int
set_up_all(void)
{
	/* Deaths are wanted here, core files are not. */
	MUST(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }));
	make_dir(dir, sizeof(dir));
	path.sun_family = AF_UNIX;
	snprintf(path.sun_path, sizeof(path.sun_path), "%s/s", dir);
	snprintf(file, sizeof(file), "%s/f", dir);
	parent = getpid();
	listeners[0] = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(listeners[0], (struct sockaddr *)&path, sizeof(path)));
	MUST(listen(listeners[0], 5));
	listeners[1] = loopback_listen(&port, 5);
	return 0;
}

int
tear_down_all(void)
{
	close_pair(listeners);
	remove_dir(dir);
	return 0;
}

int
set_up(void)
{
	memset(&kernel, 0, sizeof(kernel));
	as = SYSCALL_FILTER_WORKER;
	no_filter = false;
	filter_error = 0;
	return 0;
}

/* Shut this process in. No check may be used here: it is a child. */
static const char *
enter(void)
{
	const char *what;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    (what = sandbox_enter(as)) == NULL)
		_exit(UNABLE);
	return what;
}

/* Do it in a child that is shut in: errno, WORKED, or KILLED. */
static int
attempt(long (*try)(void))
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0) {
		enter();
		_exit(try() == -1 ? errno : WORKED);
	}
	return wait_child(pid);
}

static bool
enters_with(const char *part)
{
	pid_t pid = (pid_t)MUST(fork());

	if (pid == 0)
		_exit(strstr(enter(), part) == NULL);
	return wait_child(pid) == 0;
}

/* Sanitizers and coverage need what is refused here; "": any sandbox will do. */
static void
needs(const char *part)
{
	if (!SANDBOX_DEFAULT || !enters_with(part)) {
		print_message("no sandbox %s in this build or kernel\n", part);
		skip();
	}
}

static long
bind_tcp(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd == -1 ? 0 : bind(fd, (struct sockaddr *)&any, sizeof(any));
}

static long
listen_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd == -1 ? 0 : listen(fd, 1);
}

/* Anonymous memory of a page; -1 as from other calls. */
static long
memory(int may)
{
	void *p = mmap(NULL, 4096, may, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : (long)p;
}

/* X(its name, how it is refused, the call) */
#define FILES(X, how)							\
	X(read_passwd, how, open("/etc/passwd", O_RDONLY))		\
	X(read_root, how, open("/", O_RDONLY | O_DIRECTORY))		\
	X(write_null, how, open("/dev/null", O_WRONLY))			\
	X(make_file, how, open(file, O_WRONLY | O_CREAT, 0600))		\
	X(make_directory, how, mkdir(file, 0700))			\
	X(remove_socket, how, unlink(path.sun_path))

#define CALLS(X)							\
	X(look_at_passwd, ENOSYS, access("/etc/passwd", F_OK))		\
	X(execve, KILLED, syscall(SYS_execve, "/bin/true", none, none))	\
	X(execveat, KILLED, syscall(SYS_execveat, 0, none, none))	\
	X(fork, KILLED, fork())						\
	X(clone, KILLED, syscall(SYS_clone, 0, 0, 0))			\
	X(clone3, KILLED, syscall(SYS_clone3, 0, 0, 0))			\
	X(ptrace, KILLED, ptrace(PTRACE_TRACEME, 0, NULL, NULL))	\
	X(read_others, KILLED,						\
	    syscall(SYS_process_vm_readv, parent, 0, 0))		\
	X(socket_packet, ENOSYS, socket(AF_PACKET, SOCK_RAW, 0))	\
	X(socket_netlink, ENOSYS, socket(AF_NETLINK, SOCK_RAW, 0))	\
	X(socket_raw, ENOSYS, socket(AF_INET, SOCK_RAW, IPPROTO_TCP))	\
	X(socket_unix, ENOSYS, socket(AF_UNIX, SOCK_DGRAM, 0))		\
	X(socket_sctp, ENOSYS, socket(AF_INET, SOCK_STREAM, 132))	\
	X(bind_new, ENOSYS, bind_tcp())					\
	X(listen_new, ENOSYS, listen_tcp())				\
	X(kill_parent, ENOSYS, kill(parent, 0))			\
	X(end_parent, ENOSYS, kill(parent, SIGTERM))			\
	X(kill_all, ENOSYS, kill(-1, BOARD_WAKEUP))			\
	X(kill_group, ENOSYS, kill(-parent, BOARD_WAKEUP))		\
	X(kill_thread, ENOSYS, syscall(SYS_tgkill, parent, parent, 0))	\
	X(mount, ENOSYS, mount("x", "/", "tmpfs", 0, NULL))		\
	X(unshare, ENOSYS, unshare(CLONE_NEWUSER))			\
	X(setuid, ENOSYS, setuid(0))					\
	X(chroot, ENOSYS, chroot("/"))					\
	X(keyctl, ENOSYS, syscall(SYS_keyctl, 0, 0, 0))			\
	X(bpf, ENOSYS, syscall(SYS_bpf, 0, 0, 0))			\
	X(io_uring, ENOSYS, syscall(SYS_io_uring_setup, 1, 0, 0))	\
	X(map_code, ENOSYS, memory(PROT_READ | PROT_EXEC))		\
	X(turn_into_code, ENOSYS, mprotect((void *)			\
	    memory(PROT_READ | PROT_WRITE), 4096, PROT_EXEC))		\
	X(type_for_terminal, ENOSYS, ioctl(0, TIOCSTI, "x"))		\
	X(prctl, ENOSYS, prctl(PR_SET_NAME, "x", 0, 0, 0))		\
	X(dup, ENOSYS, fcntl(0, F_DUPFD, 50))

#define DEFINE(name, how, call)						\
static long								\
try_##name(void)							\
{									\
	return call;							\
}
FILES(DEFINE, 0)
CALLS(DEFINE)

#define TRY(name, how, ...)	{ #name, try_##name, how },

static const struct attempt {
	const char *name;
	long	(*try)(void);
	int	how;			/* it has to end */
} refused[] = {
	FILES(TRY, ENOSYS)
	CALLS(TRY)
}, no_files[] = {
	FILES(TRY, EACCES)
};

static void
try_all(const struct attempt *list, size_t n)
{
	size_t i;
	int how;

	for (i = 0; i < n; i++)
		if ((how = attempt(list[i].try)) != list[i].how)
			fail_msg("%s: expected %d, got %d", list[i].name,
			    list[i].how, how);
}

TEST(what_a_worker_does_not_need)
{
	needs("seccomp");
	try_all(refused, COUNT(refused));
}

/* It accepts nobody and streams nothing; it knows how to be answered. */
static long
accept_one(void)
{
	struct endpoint from;

	return socket_accept(listeners[1], &from);
}

static long
make_pipe(void)
{
	int two[2];

	return pipe2(two, 0);
}

static long
make_pair(int type)
{
	int two[2];

	return socketpair(AF_UNIX, type, 0, two);
}

static long
connect_to(const void *at, socklen_t len, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || (connect(fd, at, len) == -1 && errno != EINPROGRESS))
		return -1;
	return fd;
}

/* A client comes, says something, and goes. */
static long
serve(void)
{
	struct endpoint from;
	struct timespec wait = { 5, 0 };
	long fd = connect_to(&port, sizeof(port), AF_INET);
	int got, n, on = 1;
	fd_set set;
	char c;

	FD_ZERO(&set);
	FD_SET(listeners[1], &set);
	if (fd == -1 || pselect(listeners[1] + 1, &set, NULL, NULL, &wait,
	    NULL) != 1 || (got = socket_accept(listeners[1], &from)) == -1 ||
	    socket_connected((int)fd) == -1 || send((int)fd, "x", 1, 0) != 1 ||
	    !comes(got, POLLIN, PATIENCE) || recv(got, &c, 1, 0) != 1 ||
	    shutdown(got, SHUT_WR) == -1 || !comes((int)fd, POLLIN, PATIENCE) ||
	    ioctl((int)fd, SIOCOUTQ, &n) == -1 ||
	    setsockopt(got, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == -1)
		return -1;
	socket_abort(got);
	return close((int)fd);
}

static long
stream(void)
{
	int from[2], to[2], way[2];

	if (pipe2(way, O_NONBLOCK) == -1 || pipe2(from, O_CLOEXEC) == -1 ||
	    pipe2(to, O_CLOEXEC) == -1 ||
	    fcntl(way[0], F_SETPIPE_SZ, 65536) == -1 ||
	    write(from[1], "x", 1) != 1 ||
	    splice(from[0], NULL, way[1], NULL, 10, SPLICE_F_MOVE) != 1)
		return -1;
	return splice(way[0], NULL, to[1], NULL, 10, SPLICE_F_MOVE);
}

/* More than the heap has, and given back at once. */
static long
allocate(void)
{
	size_t i, size;
	char *p;

	for (size = 100; size < 50000000; size *= 10) {
		if ((p = malloc(size)) == NULL)
			return -1;
		for (i = 0; i < size; i += 1000)
			p[i] = 1;
		free(p);
	}
	return 0;
}

#define NEEDED(X)							\
	X(connect_unix, WORKED, connect_to(&path, sizeof(path), AF_UNIX)) \
	X(socket_tcp6, WORKED, socket(AF_INET6, SOCK_STREAM, 0))	\
	X(serve, WORKED, serve())					\
	X(stream, WORKED, stream())					\
	X(allocate, WORKED, allocate())					\
	X(clock_gettime, WORKED,					\
	    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now, 0))

static struct timespec now;

NEEDED(DEFINE)

static const struct attempt needed[] = { NEEDED(TRY) };

TEST(what_a_worker_needs)
{
	needs("");
	try_all(needed, COUNT(needed));
}

#define NOT_OF_WORKER(X)						\
	X(socket_udp, ENOSYS, socket(AF_INET, SOCK_DGRAM, 0))		\
	X(socket_udp6, ENOSYS, socket(AF_INET6, SOCK_DGRAM, 0))		\
	X(pair_of_worker, ENOSYS, make_pair(SOCK_SEQPACKET))

static int	zero, preconnect[2];

/* The open file of a log is one for all processes: no flag may make it block. */
static long
set_flags(int flags)
{
	return fcntl(listeners[0], F_SETFL, flags);
}

#define OF_PROBER(X)							\
	X(udp, WORKED, socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP))	\
	X(udp6, WORKED, socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP))	\
	X(unblock, WORKED, set_flags(O_NONBLOCK))			\
	X(unblock_append, WORKED, set_flags(O_NONBLOCK | O_APPEND))	\
	X(block, ENOSYS, set_flags(0))				\
	X(block_append, ENOSYS, set_flags(O_APPEND))			\
	X(block_by_ioctl, ENOSYS, ioctl(listeners[0], FIONBIO, &zero)) \
	X(channel_of_prober, WORKED, channel_open(preconnect))		\
	X(accept, ENOSYS, accept_one())					\
	X(pipe, ENOSYS, make_pipe())					\
	X(pair_stream, ENOSYS, make_pair(SOCK_STREAM))			\
	X(pair, WORKED, make_pair(SOCK_SEQPACKET | SOCK_CLOEXEC))	\
	X(ring_of_prober, WORKED, kill(parent, BOARD_WAKEUP))		\
	X(connect, WORKED, connect_to(&path, sizeof(path), AF_UNIX))

NOT_OF_WORKER(DEFINE)
OF_PROBER(DEFINE)

static const struct attempt not_of_worker[] = { NOT_OF_WORKER(TRY) };
static const struct attempt of_prober[] = { OF_PROBER(TRY) };

TEST(what_only_a_prober_has)
{
	needs("seccomp");
	try_all(not_of_worker, COUNT(not_of_worker));
}

TEST(prober)
{
	needs("seccomp");
	as = SYSCALL_FILTER_PROBER;
	try_all(refused, COUNT(refused));
	try_all(of_prober, COUNT(of_prober));
}

static int
use_what_is_open(void)
{
	int channel[2], passed, fd, log, ep;
	struct epoll_event ev = { .events = EPOLLIN };
	sigset_t set;
	char what;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (channel_open(channel) == -1 || (fd = signals_open(&set)) == -1 ||
	    (ep = epoll_create1(0)) == -1 ||
	    (log = open("/dev/null", O_WRONLY)) == -1 ||
	    channel_send(channel[0], 'L', log) == -1)
		return 1;
	enter();
	if (epoll_ctl(ep, EPOLL_CTL_ADD, channel[1], &ev) == -1 ||
	    epoll_wait(ep, &ev, 1, PATIENCE) != 1 ||
	    channel_receive(channel[1], &what, &passed) != 1 || passed == -1 ||
	    write(passed, "x", 1) != 1 || write(log, "x", 1) != 1)
		return 2;
	if (raise(SIGUSR1) != 0 || signals_next(fd) != SIGUSR1)
		return 3;
	return channel_send(channel[1], 'R', -1) == 0 ? 0 : 4;
}

TEST(what_was_open_before)
{
	pid_t pid;

	needs("");
	if ((pid = (pid_t)MUST(fork())) == 0)
		_exit(use_what_is_open());
	assert_int_equal(wait_child(pid), 0);
}

/* The obituary is to say what it died of. */
/* In a worker: a line, when the disk is almost full, until all of it is out. */
static void __attribute__((__noreturn__))
log_until_out(struct log *l, int fd, int full)
{
	signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1000, 1000 });
	enter();
	log_use_fd(l, fd);
	log_line(l, LOG_INFO, "%020d", 0);
	if (log_wait(l, -1) == -1 || write(full, "", 1) != 1)
		_exit(UNABLE);
	while (log_wait(l, -1) != -1) {
		poll(NULL, 0, 1);
		log_flush(l);
	}
	_exit(WORKED);
}

/* What the master hands over is as good as what was open before. */
TEST(log_handed_over)
{
	char log[80], text[200];
	int fd, full[2];
	struct log *l;
	pid_t pid;

	needs("");
	snprintf(log, sizeof(log), "%s/log", dir);
	l = log_open(log, LOG_INFO);
	assert_non_null(l);
	fd = (int)MUST(open(log, O_RDWR | O_APPEND | O_CLOEXEC));
	MUST(ftruncate(fd, 990));
	MUST(pipe(full));
	if ((pid = (pid_t)MUST(fork())) == 0)
		log_until_out(l, fd, full[1]);
	assert_true(comes(full[0], POLLIN, PATIENCE));
	MUST(ftruncate(fd, 0));
	assert_int_equal(wait_child(pid), WORKED);
	/* The part that was out is ended, and the line comes again. */
	MUST(lseek(fd, 0, SEEK_SET));
	read_text(fd, text, sizeof(text));
	assert_memory_equal(text, "\n2", 2);
	assert_non_null(strstr(text, "info: 00000000000000000000\n"));
	close(fd);
	close_pair(full);
	log_close(l);
}

/* The port of the test: one that nobody was given by the system just now. */
static long
bind_port(void)
{
	struct sockaddr_in a = port;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	return fd == -1 ? 0 : bind(fd, (struct sockaddr *)&a, sizeof(a));
}

/* Who connects from an address names it, but listens nowhere all the same. */
TEST(source_addresses)
{
	needs("landlock+seccomp");
	as |= SYSCALL_FILTER_BIND;
	assert_int_equal(attempt(bind_tcp), WORKED);
	assert_int_equal(attempt(bind_port), EACCES);
	assert_int_equal(attempt(listen_tcp), ENOSYS);
	as = SYSCALL_FILTER_PROBER | SYSCALL_FILTER_BIND;
	assert_int_equal(attempt(bind_tcp), WORKED);
	assert_int_equal(attempt(bind_port), EACCES);
}

static long
ring(void)
{
	return kill(parent, BOARD_WAKEUP);
}

/* It calls others by the one signal that nobody dies of. */
TEST(wakeup)
{
	needs("seccomp");
	assert_int_equal(attempt(ring), WORKED);
}

TEST(abort)
{
	pid_t pid;

	needs("");
	if ((pid = (pid_t)MUST(fork())) == 0) {
		enter();
		abort();
	}
	assert_int_equal(wait_child(pid), 128 + SIGABRT);
}

TEST(landlock_alone)
{
	needs("landlock");
	no_filter = true;
	try_all(no_files, COUNT(no_files));
	try_all(needed, COUNT(needed));
	assert_int_equal(attempt(try_fork), WORKED);
}

TEST(kernel_without_landlock)
{
	kernel.on = true;
	kernel.version = -1;
	no_filter = true;
	assert_string_equal(sandbox_enter(as), "none");
	assert_int_equal(kernel.given[0], 0);
}

/* Each is asked for what it knows: more would be refused. */
TEST(versions_of_landlock)
{
	static const struct { long version; uint64_t files, net, scoped; }
	want[] = {
		{ 1, 0x1fff, 0, 0 }, { 2, 0x3fff, 0, 0 }, { 3, 0x7fff, 0, 0 },
		{ 4, 0x7fff, 1, 0 }, { 5, 0xffff, 1, 0 }, { 6, 0xffff, 1, 3 },
		/* Signals are left to the filter, which lets one through. */
		{ 6, 0xffff, 1, 1 },
		{ 7, 0xffff, 1, 3 }, { 99, 0xffff, 1, 3 },
	};
	int before = open_descriptors();
	size_t i;

	kernel.on = true;
	no_filter = true;
	for (i = 0; i < COUNT(want); i++) {
		filter_there = want[i].scoped == 1;
		kernel.version = want[i].version;
		assert_string_equal(sandbox_enter(as), "landlock");
		assert_int_equal(kernel.given[0], want[i].files);
		assert_int_equal(kernel.given[1], want[i].net);
		assert_int_equal(kernel.given[2], want[i].scoped);
	}
	assert_int_equal(open_descriptors(), before);
}

TEST(refusals)
{
	int before = open_descriptors();

	kernel.on = true;
	kernel.version = 1;
	kernel.error = EPERM;
	assert_null(sandbox_enter(as));
	assert_int_equal(errno, EPERM);
	kernel.error = 0;
	filter_error = EINVAL;
	assert_null(sandbox_enter(as));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(open_descriptors(), before);
}
