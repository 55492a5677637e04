/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_socket.c: the sockets that sys.c makes, on loopback. Calls that cannot be made
 * to fail from outside are made to by *fault*. Sockets with a path are in
 * sys_unix.c, the rest of sys.h is in test_sys.c.
 */
#include "net/socket.h"
#include "net/socket_option.h"

#include <netinet/tcp.h>

#include "helpers.h"

static struct {
	int	socket, bind, listen, getsockname, accept4, setsockopt;
} fault;				/* errno of the next such call */

static int	family_refused;		/* by socket(), with EAFNOSUPPORT */
static int	backlog;		/* of the last listen() */

/* True, once, when the call is to fail. */
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
__wrap_socket(int family, int type, int protocol)
{
	if (fails(&fault.socket))
		return -1;
	if (family == family_refused) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(family, type, protocol);
}

int
__wrap_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	return fails(&fault.bind) ? -1 : __real_bind(fd, sa, len);
}

int
__wrap_listen(int fd, int n)
{
	backlog = n;
	return fails(&fault.listen) ? -1 : __real_listen(fd, n);
}

int
__wrap_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
	return fails(&fault.getsockname) ? -1 :
	    __real_getsockname(fd, sa, len);
}

int
__wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	return fails(&fault.accept4) ? -1 : __real_accept4(fd, sa, len, flags);
}

int
__wrap_setsockopt(int fd, int level, int option, const void *value,
    socklen_t len)
{
	if (level == IPPROTO_IPV6 && option == IPV6_V6ONLY &&
	    fails(&fault.setsockopt))
		return -1;
	return __real_setsockopt(fd, level, option, value, len);
}

static int	before;			/* descriptors open */

int
set_up(void)
{
	memset(&fault, 0, sizeof(fault));
	family_refused = -1;
	before = open_descriptors();
	return 0;
}

int
tear_down(void)
{
	return open_descriptors() == before ? 0 : -1;
}

static struct addr
address(const char *text)
{
	const char *why;
	struct addr a;

	assert_int_equal(addr_parse(text, ADDR_LISTEN, &a, 1, &why), 1);
	return a;
}

static int
option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value;

	MUST(getsockopt(fd, level, name, &value, &len));
	return value;
}

static void
assert_flags(int fd)
{
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* Connect and wait until it stands. */
static int
connect_to(const struct addr *a)
{
	int pending = -1, fd;

	fd = (int)MUST(socket_connect(a, &pending));
	if (pending)
		assert_true(comes(fd, POLLOUT, PATIENCE));
	assert_int_equal(socket_connected(fd), 0);
	return fd;
}

static int
accept_from(int listener, struct endpoint *from)
{
	assert_true(comes(listener, POLLIN, PATIENCE));
	return (int)MUST(socket_accept(listener, from));
}

static bool
no_ipv6(void)
{
	int fd = __real_socket(AF_INET6, SOCK_STREAM, 0), rc;
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	if (fd == -1)
		return true;
	rc = __real_bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	close(fd);
	return rc == -1;
}

TEST(listen_and_accept)
{
	struct addr a = address("127.0.0.1:0"), name;
	char want[ADDR_TEXT], got[ADDR_TEXT];
	struct endpoint from;
	int listener, out, in;

	listener = (int)MUST(socket_listen(&a));
	assert_int_not_equal(addr_port(&a), 0);
	assert_int_equal(a.len, sizeof(struct sockaddr_in));
	assert_flags(listener);
	assert_int_equal(socket_accept(listener, &from), -1);
	assert_int_equal(errno, EAGAIN);

	out = connect_to(&a);
	in = accept_from(listener, &from);
	assert_flags(out);
	assert_flags(in);
	name.len = sizeof(name.in6);
	MUST(getsockname(out, &name.sa, &name.len));
	assert_string_equal(endpoint_format(&from, got, sizeof(got)),
	    addr_format(&name, want, sizeof(want)));
	close(out);
	close(in);
	close(listener);
}

/* Set once on the listener, so that no session pays for it. */
TEST(accepted_sockets_inherit)
{
	struct addr a = address("127.0.0.1:0");
	struct endpoint from;
	int listener, out, in;

	listener = (int)MUST(socket_listen(&a));
	assert_true(option(listener, SOL_SOCKET, SO_REUSEADDR));
	assert_true(option(listener, IPPROTO_TCP, TCP_NODELAY));
	assert_true(option(listener, SOL_SOCKET, SO_KEEPALIVE));
	out = connect_to(&a);
	in = accept_from(listener, &from);
	assert_true(option(in, IPPROTO_TCP, TCP_NODELAY));
	assert_true(option(in, SOL_SOCKET, SO_KEEPALIVE));
	assert_true(option(in, SOL_SOCKET, SO_OOBINLINE));
	assert_false(option(out, IPPROTO_TCP, TCP_NODELAY));
	socket_set_nodelay(out);
	assert_true(option(out, IPPROTO_TCP, TCP_NODELAY));
	assert_false(option(out, SOL_SOCKET, SO_OOBINLINE));
	socket_set_urgent_inline(out);
	assert_true(option(out, SOL_SOCKET, SO_OOBINLINE));
	close(out);
	close(in);
	close(listener);
}

/* The kernel counts in what it sends again, so it may be a little more. */
TEST(defer_accept)
{
	struct addr a = address("127.0.0.1:0");
	struct endpoint from;
	int listener, out;

	listener = (int)MUST(socket_listen(&a));
	assert_int_equal(option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	socket_defer_accept(listener, 30);
	assert_in_range(option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT),
	    30, 60);
	out = connect_to(&a);
	assert_false(comes(listener, POLLIN, 50));
	assert_int_equal(socket_accept(listener, &from), -1);
	assert_int_equal(errno, EAGAIN);
	write_text(out, "now");
	close(accept_from(listener, &from));
	close(out);
	close(listener);
}

TEST(backlog)
{
	struct addr a = address("127.0.0.1:0");
	int fd = open("/proc/sys/net/core/somaxconn", O_RDONLY);
	char text[32] = "4096";

	if (fd != -1) {
		read_text(fd, text, sizeof(text));
		close(fd);
	}
	close((int)MUST(socket_listen(&a)));
	assert_true(backlog >= atoi(text));
}

TEST(any_address_takes_both_families)
{
	struct addr a = address(":0"), four = address("127.0.0.1:0"),
	    six = address("[::1]:0");
	char text[ADDR_TEXT];
	struct endpoint from;
	int listener, out, in;

	if (no_ipv6())
		skip();
	listener = (int)MUST(socket_listen(&a));
	assert_int_equal(a.sa.sa_family, AF_INET6);
	assert_int_not_equal(addr_port(&a), 0);
	addr_set_port(&four, addr_port(&a));
	out = connect_to(&four);
	in = accept_from(listener, &from);
	assert_memory_equal(endpoint_format(&from, text, sizeof(text)),
	    "127.0.0.1:", 10);
	close(out);
	close(in);
	addr_set_port(&six, addr_port(&a));
	out = connect_to(&six);
	in = accept_from(listener, &from);
	assert_memory_equal(endpoint_format(&from, text, sizeof(text)),
	    "[::1]:", 6);
	close(out);
	close(in);
	close(listener);
}

static void
assert_fell_back(struct addr *a, uint16_t port)
{
	int fd = (int)MUST(socket_listen(a));

	assert_int_equal(a->sa.sa_family, AF_INET);
	assert_int_equal(a->len, sizeof(struct sockaddr_in));
	assert_int_equal(a->in.sin_addr.s_addr, htonl(INADDR_ANY));
	if (port != 0)
		assert_int_equal(addr_port(a), port);
	else
		assert_int_not_equal(addr_port(a), 0);
	close(fd);
}

TEST(any_address_without_ipv6)
{
	struct addr a;
	uint16_t port;

	family_refused = AF_INET6;
	a = address("*:0");
	assert_fell_back(&a, 0);
	port = addr_port(&a);
	a = address("*:0");
	addr_set_port(&a, port);
	assert_fell_back(&a, port);
	/* A host that was asked for is not replaced by another. */
	a = address("[::1]:0");
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
	/* The kernel knows IPv6, but it is switched off. */
	family_refused = -1;
	if (no_ipv6())
		return;
	fault.bind = EADDRNOTAVAIL;
	a = address("*:0");
	assert_fell_back(&a, 0);
	fault.bind = EADDRNOTAVAIL;
	a = address("[::1]:0");
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	fault.bind = EACCES;
	a = address("*:0");
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EACCES);
}

/* tear_down() sees whether a descriptor was left open. */
TEST(listen_errors)
{
	struct addr a = address("127.0.0.1:0"), b;
	int fd;

	fd = (int)MUST(socket_listen(&a));
	b = a;
	assert_int_equal(socket_listen(&b), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	a = address("127.0.0.1:0");
	fault.socket = EMFILE;
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EMFILE);
	fault.listen = EADDRINUSE;
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EADDRINUSE);
	fault.getsockname = ENOBUFS;
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, ENOBUFS);
	if (no_ipv6())
		return;
	a = address("*:0");
	fault.setsockopt = ENOPROTOOPT;
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, ENOPROTOOPT);
}

TEST(port_is_free_again_at_once)
{
	struct addr a = address("127.0.0.1:0");
	struct endpoint from;
	int listener, out, in;

	listener = (int)MUST(socket_listen(&a));
	out = connect_to(&a);
	in = accept_from(listener, &from);
	/* Who closes first keeps the port in TIME-WAIT. */
	close(in);
	assert_true(comes(out, POLLIN, PATIENCE));
	close(out);
	close(listener);
	listener = (int)MUST(socket_listen(&a));
	close(listener);
}

TEST(accept_errors)
{
	static const int errors[] = {
		EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR
	};
	struct addr a = address("127.0.0.1:0");
	struct endpoint from, was;
	int listener, out;
	size_t i;

	listener = (int)MUST(socket_listen(&a));
	out = connect_to(&a);
	memset(&was, 0xa5, sizeof(was));
	for (i = 0; i < COUNT(errors); i++) {
		from = was;
		fault.accept4 = errors[i];
		assert_int_equal(socket_accept(listener, &from), -1);
		assert_int_equal(errno, errors[i]);
		assert_memory_equal(&from, &was, sizeof(from));
	}
	close(accept_from(listener, &from));
	close(out);
	close(listener);
}

TEST(accept_at_the_descriptor_limit)
{
	struct addr a = address("127.0.0.1:0");
	int listener, out, rc;
	struct endpoint from;
	rlim_t limit;

	listener = (int)MUST(socket_listen(&a));
	out = connect_to(&a);
	assert_true(comes(listener, POLLIN, PATIENCE));
	limit = forbid_descriptors();
	rc = socket_accept(listener, &from);
	allow_descriptors(limit);
	assert_int_equal(rc, -1);
	assert_int_equal(errno, EMFILE);
	/* The client was not lost by that. */
	close(accept_from(listener, &from));
	close(out);
	close(listener);
}

TEST(connect_refused)
{
	struct addr a = address("127.0.0.1:0");
	int fd, out, pending;

	fd = loopback_bind(&a.in);
	out = socket_connect(&a, &pending);
	if (out != -1) {
		assert_int_equal(pending, 1);
		assert_true(comes(out, POLLOUT, PATIENCE));
		assert_int_equal(socket_connected(out), -1);
		assert_int_equal(errno, ECONNREFUSED);
		/* The error was taken off the socket. */
		assert_int_equal(socket_connected(out), 0);
		close(out);
	} else {
		assert_int_equal(errno, ECONNREFUSED);
	}
	close(fd);
}

TEST(connect_errors)
{
	struct addr a = address("127.0.0.1:1");
	int pending;

	fault.socket = EMFILE;
	assert_int_equal(socket_connect(&a, &pending), -1);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(socket_connected(-1), -1);
	assert_int_equal(errno, EBADF);
}

TEST(shut_write)
{
	char text[16];
	int p[2];

	tcp_pair(p);
	write_text(p[0], "last words");
	assert_int_equal(socket_shut_write(p[0]), 0);
	assert_string_equal(read_text(p[1], text, sizeof(text)), "last words");
	write_text(p[1], "answer");
	close(p[1]);
	assert_string_equal(read_text(p[0], text, sizeof(text)), "answer");
	close(p[0]);
	p[0] = (int)MUST(__real_socket(AF_INET, SOCK_STREAM, 0));
	assert_int_equal(socket_shut_write(p[0]), -1);
	assert_int_equal(errno, ENOTCONN);
	close(p[0]);
}

TEST(abort)
{
	char text[16];
	int p[2];

	tcp_pair(p);
	socket_abort(p[0]);
	assert_false(is_open(p[0]));
	assert_int_equal(read_full(p[1], text, sizeof(text)), -1);
	assert_int_equal(errno, ECONNRESET);
	close(p[1]);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	socket_abort(p[0]);
	assert_false(is_open(p[0]));
	assert_int_equal(read_full(p[1], text, sizeof(text)), 0);
	close(p[1]);
}

TEST(unacked)
{
	uint64_t end = clock_ms() + PATIENCE;
	static char bytes[65536];
	ssize_t n;
	int p[2];

	tcp_pair(p);
	small_buffers(p[0]);
	small_buffers(p[1]);
	assert_int_equal(socket_unacked(p[0]), 0);
	while (comes(p[0], POLLOUT, 50))
		(void)!send(p[0], bytes, sizeof(bytes), MSG_DONTWAIT);
	assert_true(socket_unacked(p[0]) > 0);
	/* When the peer reads, all of it arrives in the end. */
	while (socket_unacked(p[0]) > 0 && clock_ms() < end) {
		n = recv(p[1], bytes, sizeof(bytes), MSG_DONTWAIT);
		assert_true(n > 0 || errno == EAGAIN);
	}
	assert_int_equal(socket_unacked(p[0]), 0);
	close_pair(p);
	p[0] = (int)MUST(open("/dev/null", O_RDONLY));
	assert_int_equal(socket_unacked(p[0]), 0);
	close(p[0]);
}
