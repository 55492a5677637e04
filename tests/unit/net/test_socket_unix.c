/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_socket_unix.c: sockets with a path, in a directory of our own: whose path it is,
 * and when it may be taken over. And sockets that others have opened.
 */
#include "net/socket.h"

#include <sys/un.h>

#include <netinet/tcp.h>

#include "helpers.h"

static int	fail_socket;		/* errno of the next call */

int
__wrap_socket(int family, int type, int protocol)
{
	if (fail_socket == 0)
		return __real_socket(family, type, protocol);
	errno = fail_socket;
	fail_socket = 0;
	return -1;
}

static char	dir[64], path[80];
static int	before;			/* descriptors open */

int
set_up(void)
{
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	before = open_descriptors();
	return 0;
}

int
tear_down(void)
{
	remove_dir(dir);
	return open_descriptors() == before ? 0 : -1;
}

static struct addr
unix_address(void)
{
	char text[100];
	const char *why;
	struct addr a;

	snprintf(text, sizeof(text), "unix:%s", path);
	assert_int_equal(addr_parse(text, ADDR_LISTEN, &a, 1, &why), 1);
	return a;
}

static void
assert_flags(int fd)
{
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static int
accept_from(int listener, struct endpoint *from)
{
	assert_true(comes(listener, POLLIN, PATIENCE));
	return (int)MUST(socket_accept(listener, from));
}

TEST(unix_socket)
{
	struct addr a = unix_address(), given = a;
	int listener, out, in, pending = -1;
	struct endpoint from;
	char text[ADDR_TEXT];

	listener = (int)MUST(socket_listen(&a));
	assert_memory_equal(&a, &given, sizeof(a));
	assert_flags(listener);
	out = (int)MUST(socket_connect(&a, &pending));
	assert_int_equal(pending, 0);
	assert_int_equal(socket_connected(out), 0);
	in = accept_from(listener, &from);
	assert_flags(in);
	assert_int_equal(from.family, AF_UNIX);
	assert_string_equal(endpoint_format(&from, text, sizeof(text)),
	    "unix:");
	close(out);
	close(in);
	close(listener);
}

TEST(stale_unix_socket_is_taken_over)
{
	struct addr a = unix_address();
	struct endpoint from;
	int listener, out, pending;
	struct stat st;

	close((int)MUST(socket_listen(&a)));
	MUST(stat(path, &st));
	listener = (int)MUST(socket_listen(&a));
	out = (int)MUST(socket_connect(&a, &pending));
	close(accept_from(listener, &from));
	close(out);
	close(listener);
}

TEST(unix_socket_in_use_is_refused)
{
	struct addr a = unix_address();
	struct endpoint from;
	int first, out, pending;

	first = (int)MUST(socket_listen(&a));
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EADDRINUSE);
	/* The one that was there still serves; the probe was a connection. */
	close(accept_from(first, &from));
	out = (int)MUST(socket_connect(&a, &pending));
	close(accept_from(first, &from));
	close(out);
	close(first);
}

TEST(unix_socket_with_a_full_queue_is_in_use)
{
	struct addr a = unix_address();
	int out[8], n = 0, listener, pending;

	listener = (int)MUST(__real_socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(listener, &a.sa, a.len));
	MUST(listen(listener, 0));
	while (n < 8 && (out[n] = socket_connect(&a, &pending)) != -1)
		n++;
	assert_in_range(n, 1, 7);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(access(path, F_OK), 0);
	while (n > 0)
		close(out[--n]);
	close(listener);
}

TEST(what_is_no_socket_is_not_removed)
{
	struct addr a = unix_address();
	char target[80];

	close((int)MUST(open(path, O_CREAT | O_WRONLY, 0600)));
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EEXIST);
	MUST(unlink(path));
	MUST(mkdir(path, 0700));
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EEXIST);
	MUST(rmdir(path));
	snprintf(target, sizeof(target), "%s/none", dir);
	MUST(symlink(target, path));
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(readlink(path, target, sizeof(target)) > 0, 1);
}

TEST(foreign_unix_socket_is_not_removed)
{
	struct addr a = unix_address();
	int fd;

	fd = (int)MUST(__real_socket(AF_UNIX, SOCK_DGRAM, 0));
	MUST(bind(fd, &a.sa, a.len));
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
}

TEST(unix_listen_errors)
{
	struct addr a = unix_address();

	close((int)MUST(socket_listen(&a)));
	fail_socket = EMFILE;
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/none/sock", dir);
	a = unix_address();
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, ENOENT);
	snprintf(path, sizeof(path), "%s/sock/sock", dir);
	a = unix_address();
	assert_int_equal(socket_listen(&a), -1);
	assert_int_equal(errno, ENOTDIR);
}

TEST(connect_errors)
{
	struct addr a = unix_address();
	int pending;

	assert_int_equal(socket_connect(&a, &pending), -1);
	assert_int_equal(errno, ENOENT);
	close((int)MUST(socket_listen(&a)));
	assert_int_equal(socket_connect(&a, &pending), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

/* A listening socket as others leave it: it blocks, and children inherit it. */
static int
plain_listener(int family, const struct sockaddr *sa, socklen_t len)
{
	int fd = (int)MUST(socket(family, SOCK_STREAM, 0));

	MUST(bind(fd, sa, len));
	assert_int_equal(socket_adopt(fd), -1);
	assert_int_equal(errno, EINVAL);
	MUST(listen(fd, 1));
	assert_int_equal(socket_adopt(fd), 0);
	assert_true(MUST(fcntl(fd, F_GETFL)) & O_NONBLOCK);
	assert_true(MUST(fcntl(fd, F_GETFD)) & FD_CLOEXEC);
	return fd;
}

TEST(adopt)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct addr un = unix_address();
	socklen_t len = sizeof(int);
	int fd, on = 0;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = plain_listener(AF_INET, (struct sockaddr *)&in, sizeof(in));
	MUST(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len));
	assert_true(on);
	close(fd);
	close(plain_listener(AF_UNIX, &un.sa, un.len));
}

TEST(adopt_what_is_none)
{
	int p[2];

	MUST(pipe(p));
	assert_int_equal(socket_adopt(p[0]), -1);
	assert_int_equal(errno, EINVAL);
	close(p[0]);
	close(p[1]);
	p[0] = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	assert_int_equal(socket_adopt(p[0]), -1);
	assert_int_equal(errno, EINVAL);
	close(p[0]);
}
