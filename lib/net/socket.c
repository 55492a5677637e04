/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * socket.c: calls on sockets as Linux wants them. Keeps no state and logs
 * nothing.
 */
#include "net/socket.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "net/socket_option.h"
#include "sys/descriptor.h"

static void
set_flag(int fd, int level, int option)
{
	int on = 1;

	/* On a socket of its family none of these can fail; none is vital. */
	(void)setsockopt(fd, level, option, &on, sizeof(on));
}

/*
 * Removes the path of a unix socket that a killed process left behind. A
 * connection attempt shows whether the socket is in use.
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
	/* EAGAIN: a process listens, and its queue is full. */
	if (rc == 0 || errno == EAGAIN) {
		close(fd);
		errno = EADDRINUSE;
		return -1;
	}
	descriptor_close(fd);
	return errno == ECONNREFUSED ? unlink(a->un.sun_path) : -1;
}

/* Options that accepted sockets inherit. */
static void
set_inherited(int fd, int family)
{
	if (family == AF_UNIX)
		return;
	set_flag(fd, SOL_SOCKET, SO_KEEPALIVE);
	socket_set_urgent_inline(fd);
	socket_set_nodelay(fd);
}

static bool
is_any_ipv6(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* Options that must be set before bind(). */
static int
prepare_listening(int fd, const struct addr *a,
    const struct socket_listening *how)
{
	int family = a->sa.sa_family, only = how->v6only;

	if (family == AF_UNIX)
		return 0;
	if (is_any_ipv6(a) && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only,
	    sizeof(only)) == -1)
		return -1;
	if (how->transparent && socket_set_transparent(fd, family, true) == -1)
		return -1;
	if (how->freebind && socket_set_freebind(fd, family) == -1)
		return -1;
	return how->interface == NULL ? 0 :
	    socket_set_interface(fd, how->interface);
}

/*
 * As for a port, any user may connect: the directory of the path restricts
 * access. Set by umask(), because before a chmod() others could replace the
 * file.
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
listen_socket(const struct addr *a, const struct socket_listening *how)
{
	int family = a->sa.sa_family, fd;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (family != AF_UNIX)
		set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	set_inherited(fd, family);
	if (prepare_listening(fd, a, how) == -1)
		goto fail;
	/* The kernel caps the backlog at net.core.somaxconn. */
	if (bind_open(fd, a) == -1 || listen(fd, INT_MAX) == -1)
		goto fail;
	return fd;
fail:
	descriptor_close(fd);
	return -1;
}

int
socket_listen(struct addr *a)
{
	return socket_listen_as(
	    a, &(struct socket_listening) { .v6only = false });
}

int
socket_listen_as(struct addr *a, const struct socket_listening *how)
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
			descriptor_close(fd);
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
socket_adopt(int fd)
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
socket_set_backlog(int fd, unsigned n)
{
	(void)listen(fd, n == 0 ? INT_MAX : (int)n);
}

/* Of a unix socket only the wait tells. */
bool
socket_listens(int fd)
{
	return get_option(fd, SO_ACCEPTCONN) == 1 && !descriptor_hung_up(fd);
}

int
socket_listen_again(int fd)
{
	return listen(fd, INT_MAX) == 0 && socket_listens(fd) ? 0 : -1;
}

int
socket_accept(int fd, struct endpoint *from)
{
	struct addr a;
	int got;

	a.len = sizeof(struct sockaddr_un);
	got = accept4(fd, &a.sa, &a.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (got == -1)
		return -1;
	endpoint_set(from, &a);
	/* Unix sockets inherit nothing from the listening socket. */
	if (from->family == AF_UNIX)
		socket_set_urgent_inline(got);
	return got;
}

/* False: not begun. connect() then reports the error, if it fails as well. */
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
socket_connect(const struct addr *a, int *pending)
{
	uint32_t went;

	return socket_connect_with(a, NULL, 0, &went, pending);
}

int
socket_new_stream(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* connect() chooses the port, so that different peers can share one. */
int
socket_bind_source(int fd, const struct addr *a)
{
	socket_set_late_port(fd);
	return bind(fd, &a->sa, a->len);
}

int
socket_can_bind(const struct addr *address, const char *interface)
{
	struct addr a = *address;
	int fd = socket_new_stream(a.sa.sa_family), result;

	if (fd == -1)
		return -1;
	addr_set_port(&a, 0);
	/* The interface decides which addresses exist. */
	if (interface != NULL)
		(void)socket_set_interface(fd, interface);
	result = socket_bind_source(fd, &a);
	descriptor_close(fd);
	return result;
}

int
socket_begin_connect(int fd, const struct addr *a, const void *bytes,
    size_t len, uint32_t *went, int *pending)
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
socket_connect_with(const struct addr *a, const void *bytes, size_t len,
    uint32_t *went, int *pending)
{
	int fd;

	*went = 0;
	*pending = 0;
	if ((fd = socket_new_stream(a->sa.sa_family)) == -1)
		return -1;
	if (socket_begin_connect(fd, a, bytes, len, went, pending) == 0)
		return fd;
	descriptor_close(fd);
	return -1;
}

int
socket_new_datagram(const struct addr *a)
{
	int fd;

	fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd != -1 && socket_redirect(fd, a) == -1 && !addr_is_unix(a)) {
		descriptor_close(fd);
		return -1;
	}
	return fd;
}

int
socket_redirect(int fd, const struct addr *a)
{
	return connect(fd, &a->sa, a->len);
}

bool
socket_ended(int fd)
{
	ssize_t n;
	char c;

	n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR);
}

int
socket_local_addr(int fd, struct addr *a)
{
	a->len = sizeof(a->un);
	return getsockname(fd, &a->sa, &a->len);
}

enum socket_lack
socket_lack(int err)
{
	if (err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM)
		return LACK_OF_OURS;
	if (err == EADDRNOTAVAIL || err == EADDRINUSE)
		return LACK_PORT;
	/* connect(2), of unix sockets */
	return err == EAGAIN ? LACK_ROOM : LACK_NOTHING;
}

int
socket_shut_write(int fd)
{
	return shutdown(fd, SHUT_WR);
}

void
socket_abort(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

int
socket_unacked(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n) == -1 ? 0 : n;
}

int
socket_connected(int fd)
{
	socklen_t len = sizeof(int);
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		return -1;
	errno = err;
	return err == 0 ? 0 : -1;
}
