/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_log_syslog.c: logs that go to a syslog in datagrams, here and elsewhere. The
 * receivers are real sockets of the test; what is sent to /dev/log is led to one
 * of them. What they get is taken to pieces as its RFC says.
 */
#include "log/log.h"

#include <sys/un.h>

#include "helpers.h"
#include "log_rig.h"
#include "syslog_rig.h"

int
__wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };

	if (sa->sa_family != AF_UNIX)
		return __real_connect(fd, sa, len);
	assert_string_equal(((const struct sockaddr_un *)sa)->sun_path,
	    "/dev/log");
	strlcpy(here.sun_path, path, sizeof(here.sun_path));
	return __real_connect(fd, (struct sockaddr *)&here, sizeof(here));
}

static int
local_receiver(void)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	unlink(path);
	strlcpy(here.sun_path, path, sizeof(here.sun_path));
	MUST(bind(fd, (struct sockaddr *)&here, sizeof(here)));
	return fd;
}

static int
udp_receiver(char *target, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(bind(fd, (struct sockaddr *)&at, len));
	MUST(getsockname(fd, (struct sockaddr *)&at, &len));
	snprintf(target, size, "syslog+udp://127.0.0.1:%u/local3",
	    ntohs(at.sin_port));
	return fd;
}

/* The next datagram as a string. */
static const char *
datagram(int fd)
{
	ssize_t n;

	assert_true(comes(fd, POLLIN, PATIENCE));
	n = MUST(recv(fd, text, sizeof(text) - 1, 0));
	text[n] = '\0';
	return text;
}

/*
 * The next datagram is this. Where the network loses some it may be missing, and
 * then the next is one of those behind it.
 */
static void
udp_is(int fd, int level, const char *want)
{
	size_t len = strlen(want);
	ssize_t n;

	if (!comes(fd, POLLIN, network_loses() ? 500 : PATIENCE)) {
		assert_true(network_loses());
		return;
	}
	n = MUST(recv(fd, text, sizeof(text) - 1, MSG_PEEK));
	if (network_loses() && ((size_t)n < len ||
	    memcmp(text + n - len, want, len) != 0))
		return;
	assert_rfc5424(datagram(fd), LOG_LOCAL3 | level, want);
}

TEST(udp)
{
	struct log *l;
	int fd;

	fd = udp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	assert_non_null(l);
	log_ident(l, "worker 2");
	log_line(l, LOG_WARNING, "%d%%", 7);
	udp_is(fd, LOG_WARNING, "worker 2: 7%");
	text_string(log_begin(l, LOG_INFO), "one");
	log_end(l);
	text_string(log_begin(l, LOG_INFO), "two");
	log_end(l);
	assert_false(comes(fd, POLLIN, 0));
	log_flush(l);
	udp_is(fd, LOG_INFO, "worker 2: one");
	udp_is(fd, LOG_INFO, "worker 2: two");
	log_set_style(l, LOG_STYLE_BARE);
	text_string(log_begin(l, LOG_INFO), "bare");
	log_end(l);
	log_flush(l);
	udp_is(fd, LOG_INFO, "bare");
	/* Workers may not make one of these: the master hands it over. */
	assert_int_not_equal(log_fd(l), -1);
	assert_int_equal(log_reopen(l), 0);
	assert_int_not_equal(log_fd(l), -1);
	log_line(l, LOG_ERR, "three");
	udp_is(fd, LOG_ERR, "worker 2: three");
	/* Each that has come was one of these. */
	assert_false(comes(fd, POLLIN, 0));
	log_close(l);
	close(fd);
}

/* Nobody there: the system tells, one line late. */
TEST(udp_refused)
{
	_Atomic uint64_t lost = 0;
	struct log *l;
	int i, lines = 0;

	close(udp_receiver(path, sizeof(path)));
	l = log_open(path, LOG_INFO);
	assert_non_null(l);
	log_count_lost(l, &lost);
	for (i = 0; i < 20; i++) {
		/* The line or the answer may get lost on its way. */
		do {
			log_line(l, LOG_INFO, "into the void");
			assert_true(++lines < 100);
		} while (!comes(log_fd(l), POLLIN, 200));
	}
	/* And a line each second that tells of it. */
	assert_in_range(lost, 19, 2 * lines);
	assert_int_equal(log_wait(l, -1), -1);
	log_close(l);
}

/* RFC 3164 without the host, as syslog(3) writes it. */
TEST(local)
{
	int fd = local_receiver();
	char want[64];
	struct log *l;

	l = log_open("syslog", LOG_INFO);
	assert_non_null(l);
	log_ident(l, "worker 2");
	log_line(l, LOG_WARNING, "%d%%", 7);
	datagram(fd);
	assert_memory_equal(text, "<28>", 4);
	assert_true(isupper((unsigned char)text[4]));
	assert_form(text + 4 + 6, " 00:00:00 ");
	snprintf(want, sizeof(want), " shuttled[%d]: worker 2: 7%%",
	    (int)getpid());
	assert_string_equal(text + 4 + 15, want);
	log_set_style(l, LOG_STYLE_HAPROXY);
	text_string(log_begin(l, LOG_INFO), "a session");
	log_end(l);
	log_flush(l);
	assert_non_null(strstr(datagram(fd), "]: a session"));
	log_close(l);
	l = log_open("syslog:local7", LOG_INFO);
	log_line(l, LOG_ERR, "x");
	assert_memory_equal(datagram(fd), "<187>", 5);
	log_close(l);
	close(fd);
}

/* It listens, but for connections. */
TEST(local_stream)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	unlink(path);
	strlcpy(here.sun_path, path, sizeof(here.sun_path));
	MUST(bind(fd, (struct sockaddr *)&here, sizeof(here)));
	MUST(listen(fd, 1));
	assert_non_null(strstr(log_missing("syslog"), "takes a stream"));
	close(fd);
	unlink(path);
}

TEST(limit_of_files)
{
	struct rlimit was, now;

	MUST(getrlimit(RLIMIT_FSIZE, &was));
	now = was;
	now.rlim_cur = 1 << 20;
	MUST(setrlimit(RLIMIT_FSIZE, &now));
	assert_non_null(strstr(log_missing("/nowhere/log"), "ulimit -f"));
	assert_null(log_missing("stderr"));
	MUST(setrlimit(RLIMIT_FSIZE, &was));
}

/* The daemon is not there yet, is slow, and is started again. */
TEST(local_comes_and_goes)
{
	struct log *l;
	int fd, i;

	assert_non_null(strstr(log_missing("syslog:user"), "/dev/log"));
	assert_null(log_missing("stderr"));
	assert_null(log_missing("/nowhere/log"));
	assert_null(log_missing("syslog+udp://192.0.2.1"));
	l = log_open("syslog", LOG_INFO);
	assert_non_null(l);
	log_line(l, LOG_INFO, "early");
	assert_int_equal(log_wait(l, -1), 100);
	fd = local_receiver();
	flush_until_ready(l, fd);
	assert_non_null(strstr(datagram(fd), ": early"));
	assert_null(log_missing("syslog:user"));
	for (i = 0; log_wait(l, -1) == -1; i++) {
		assert_in_range(i, 0, 100000);
		log_line(l, LOG_INFO, "number %d", i);
	}
	close(fd);
	fd = local_receiver();
	flush_until_ready(l, fd);
	assert_non_null(strstr(datagram(fd), ": number "));
	log_close(l);
	close(fd);
}

int
set_up(void)
{
	return make_log_dir();
}
