/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sys.c: sockets, signals and the clock; with sys_option.c the one place that
 * knows how Linux wants them. It keeps no state and logs nothing: errno goes to
 * the caller.
 */
#include "sys.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Containers hand out limits of a milliard; tables grow with the limit. */
#define DESCRIPTORS_MAX	((rlim_t)1 << 20)

static void
close_keeping_errno(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
}

static void
set_flag(int fd, int level, int option)
{
	int on = 1;

	/* None of these can fail on a socket of its family; none is vital. */
	(void)setsockopt(fd, level, option, &on, sizeof(on));
}

/*
 * Make way for a unix socket: remove a path that a killed process left behind.
 * Whether it is in use is found out by connecting to it.
 */
static int
clear_stale_path(const struct addr *a)
{
	struct stat st;
	int fd, rc;

	if (lstat(a->un.sun_path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	rc = connect(fd, &a->sa, a->len);
	/* EAGAIN: somebody listens and its queue is full. */
	if (rc == 0 || errno == EAGAIN) {
		close(fd);
		errno = EADDRINUSE;
		return -1;
	}
	close_keeping_errno(fd);
	return errno == ECONNREFUSED ? unlink(a->un.sun_path) : -1;
}

/* What accepted sockets inherit. */
static void
set_inherited(int fd, int family)
{
	if (family == AF_UNIX)
		return;
	set_flag(fd, SOL_SOCKET, SO_KEEPALIVE);
	sys_urgent_in_line(fd);
	sys_nodelay(fd);
}

static bool
is_any_ipv6(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* Before it has an address: who may come, and to which one. */
static int
prepare(int fd, const struct addr *a, const struct sys_listening *how)
{
	int family = a->sa.sa_family, only = how->v6only;

	if (family == AF_UNIX)
		return 0;
	if (is_any_ipv6(a) && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only,
	    sizeof(only)) == -1)
		return -1;
	if (how->transparent && sys_be_transparent(fd, family, true) == -1)
		return -1;
	if (how->freebind && sys_bind_freely(fd, family) == -1)
		return -1;
	return how->interface == NULL ? 0 :
	    sys_use_interface(fd, how->interface);
}

/*
 * As for a port: the directory of a path says which users may connect. By the
 * mask of this process, since by chmod() others could have put another file there.
 */
static int
bind_open(int fd, const struct addr *a)
{
	mode_t mask = umask(0111);
	int result = bind(fd, &a->sa, a->len), err = errno;

	umask(mask);
	errno = err;
	return result;
}

static int
listen_socket(const struct addr *a, const struct sys_listening *how)
{
	int family = a->sa.sa_family, fd;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (family != AF_UNIX)
		set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	set_inherited(fd, family);
	if (prepare(fd, a, how) == -1)
		goto fail;
	/* The kernel cuts the backlog down to net.core.somaxconn. */
	if (bind_open(fd, a) == -1 || listen(fd, INT_MAX) == -1)
		goto fail;
	return fd;
fail:
	close_keeping_errno(fd);
	return -1;
}

int
sys_listen(struct addr *a)
{
	return sys_listen_as(a, &(struct sys_listening){ .v6only = false });
}

int
sys_listen_as(struct addr *a, const struct sys_listening *how)
{
	uint16_t port = addr_port(a);
	int fd;

	if (addr_is_path(a) && clear_stale_path(a) == -1)
		return -1;
	fd = listen_socket(a, how);
	if (fd == -1 && is_any_ipv6(a) && !how->v6only &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		memset(a, 0, sizeof(*a));
		a->in.sin_family = AF_INET;
		a->len = sizeof(a->in);
		addr_set_port(a, port);
		fd = listen_socket(a, how);
	}
	if (fd == -1)
		return -1;
	if (!addr_is_unix(a)) {
		a->len = sizeof(a->in6);
		if (getsockname(fd, &a->sa, &a->len) == -1) {
			close_keeping_errno(fd);
			return -1;
		}
	}
	return fd;
}

static int
get_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == -1 ? -1 :
	    value;
}

int
sys_adopt(int fd)
{
	int family = get_option(fd, SO_DOMAIN), on = 1;

	if ((family != AF_INET && family != AF_INET6 && family != AF_UNIX) ||
	    get_option(fd, SO_TYPE) != SOCK_STREAM ||
	    get_option(fd, SO_ACCEPTCONN) != 1) {
		errno = EINVAL;
		return -1;
	}
	set_inherited(fd, family);
	if (ioctl(fd, FIONBIO, &on) == -1 || ioctl(fd, FIOCLEX) == -1)
		return -1;
	return 0;
}

void
sys_set_backlog(int fd, unsigned n)
{
	(void)listen(fd, n == 0 ? INT_MAX : (int)n);
}

int
sys_accept(int fd, struct endpoint *from)
{
	struct addr a;
	int got;

	a.len = sizeof(struct sockaddr_un);
	got = accept4(fd, &a.sa, &a.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (got == -1)
		return -1;
	endpoint_set(from, &a);
	/* Of the listening socket these inherit nothing. */
	if (from->family == AF_UNIX)
		sys_urgent_in_line(got);
	return got;
}

/* False: not begun. Why, connect() will say, if it cannot do it either. */
static bool
begin_with(int fd, const struct addr *a, const void *bytes, size_t len,
    uint32_t *went)
{
	ssize_t n;

	n = sendto(fd, bytes, len, MSG_FASTOPEN | MSG_NOSIGNAL, &a->sa, a->len);
	if (n > 0)
		*went = (uint32_t)n;
	return n > 0 || errno == EINPROGRESS;
}

int
sys_connect(const struct addr *a, int *pending)
{
	uint32_t went;

	return sys_connect_with(a, NULL, 0, &went, pending);
}

int
sys_stream(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* The port is chosen when the peer is known, so that peers can share one. */
int
sys_bind_source(int fd, const struct addr *a)
{
	sys_late_port(fd);
	return bind(fd, &a->sa, a->len);
}

int
sys_has_address(const struct addr *address, const char *interface)
{
	struct addr a = *address;
	int fd = sys_stream(a.sa.sa_family), result;

	if (fd == -1)
		return -1;
	addr_set_port(&a, 0);
	/* It decides which addresses there are. */
	if (interface != NULL)
		(void)sys_use_interface(fd, interface);
	result = sys_bind_source(fd, &a);
	close_keeping_errno(fd);
	return result;
}

int
sys_begin(int fd, const struct addr *a, const void *bytes, size_t len,
    uint32_t *went, int *pending)
{
	*went = 0;
	*pending = 1;
	if (len > 0 && begin_with(fd, a, bytes, len, went))
		return 0;
	if (connect(fd, &a->sa, a->len) == 0)
		*pending = 0;
	else if (errno != EINPROGRESS)
		return -1;
	return 0;
}

int
sys_connect_with(const struct addr *a, const void *bytes, size_t len,
    uint32_t *went, int *pending)
{
	int fd;

	*went = 0;
	*pending = 0;
	if ((fd = sys_stream(a->sa.sa_family)) == -1)
		return -1;
	if (sys_begin(fd, a, bytes, len, went, pending) == 0)
		return fd;
	close_keeping_errno(fd);
	return -1;
}

int
sys_datagrams(const struct addr *a)
{
	int fd;

	fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd != -1 && sys_redirect(fd, a) == -1 && !addr_is_unix(a)) {
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}

int
sys_redirect(int fd, const struct addr *a)
{
	return connect(fd, &a->sa, a->len);
}

bool
sys_ended(int fd)
{
	ssize_t n;
	char c;

	n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR);
}

bool
sys_has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1;
}

int
sys_local(int fd, struct addr *a)
{
	a->len = sizeof(a->un);
	return getsockname(fd, &a->sa, &a->len);
}

enum sys_lack
sys_lack(int err)
{
	if (err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM)
		return LACK_OF_OURS;
	if (err == EADDRNOTAVAIL || err == EADDRINUSE)
		return LACK_PORT;
	/* connect(2), of unix sockets */
	return err == EAGAIN ? LACK_ROOM : LACK_NOTHING;
}

int
sys_shut_write(int fd)
{
	return shutdown(fd, SHUT_WR);
}

void
sys_abort(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

int
sys_unacked(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n) == -1 ? 0 : n;
}

void
sys_hold_signals(sigset_t *set)
{
	static const int all[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1,
	    SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU, SIGCHLD };
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		sigaddset(set, all[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
	/* Who starts us may ignore it, and then nobody could be reaped. */
	signal(SIGCHLD, SIG_DFL);
}

int
sys_signals(const sigset_t *set)
{
	if (sigprocmask(SIG_BLOCK, set, NULL) == -1)
		return -1;
	return signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
sys_next_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

int
sys_channel(int pair[2])
{
	int on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	if (ioctl(pair[1], FIONBIO, &on) == -1) {
		close_keeping_errno(pair[0]);
		close_keeping_errno(pair[1]);
		return -1;
	}
	return 0;
}

/* Room as the system lays it out: what is received is cut to one descriptor. */
union passed_fd {
	char		room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr	align;
};

int
sys_send(int fd, char what, int passed)
{
	struct iovec iov = { .iov_base = &what, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union passed_fd control;
	struct cmsghdr *c;

	if (passed != -1) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(passed));
	}
	/* Never wait for a worker that is stuck. */
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

/* May the same call succeed later? */
static bool
is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ENOMEM ||
	    error == ENOBUFS;
}

int
sys_receive(int fd, char *what, int *passed)
{
	struct iovec iov = { .iov_base = what, .iov_len = 1 };
	union passed_fd control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *c;
	ssize_t n;

	*passed = -1;
	if ((n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC)) != 1)
		return n == -1 && is_passing(errno) ? -1 : 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(passed, CMSG_DATA(c), sizeof(*passed));
	return 1;
}

int
sys_hear(int fd, char *what)
{
	struct iovec iov = { .iov_base = what, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	/* Without room for descriptors the system lets go of all that come. */
	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == ECONNRESET ? 0 : -1;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return (int)n;
	errno = EBADMSG;
	return -1;
}

uint64_t
sys_now(void)
{
	return sys_now_us() / 1000;
}

uint64_t
sys_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
sys_tick(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

unsigned
sys_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

int
sys_pin(unsigned i)
{
	cpu_set_t set, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		return -1;
	i %= (unsigned)CPU_COUNT(&set);
	while (!CPU_ISSET(cpu, &set) || i-- > 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

void
sys_need_descriptors(size_t n)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_max >= n)
		return;
	rl.rlim_max = n;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

size_t
sys_raise_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return 256;
	if (rl.rlim_cur < rl.rlim_max && rl.rlim_cur < DESCRIPTORS_MAX) {
		rl.rlim_cur = rl.rlim_max < DESCRIPTORS_MAX ?
		    rl.rlim_max : DESCRIPTORS_MAX;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
		(void)getrlimit(RLIMIT_NOFILE, &rl);
	}
	return rl.rlim_cur < DESCRIPTORS_MAX ?
	    (size_t)rl.rlim_cur : DESCRIPTORS_MAX;
}
