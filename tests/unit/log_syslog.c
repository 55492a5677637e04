/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_syslog.c: logs that go to a syslog, here and elsewhere. The receivers are
 * real sockets of the test; what is sent to /dev/log is led to one of them. What
 * they get is taken to pieces as its RFC says.
 */
#include "log.h"

#include <sys/un.h>

#include <ctype.h>
#include <netinet/tcp.h>

#include "helpers.h"
#include "log_rig.h"

int	__real_connect(int, const struct sockaddr *, socklen_t);
int	__wrap_connect(int, const struct sockaddr *, socklen_t);

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

static int
tcp_receiver(char *target, size_t size)
{
	struct sockaddr_in at;
	int fd = loopback_listen(&at, 10);

	snprintf(target, size, "syslog+tcp://127.0.0.1:%u",
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

/* Turn as a worker does until *fd* has something to read. */
static void
flush_until_ready(struct log *l, int fd)
{
	uint64_t give_up = clock_ms() + PATIENCE;

	do {
		assert_true(clock_ms() < give_up);
		log_flush(l);
	} while (!comes(fd, POLLIN, 1));
}

/* The next message over TCP: its length, a blank, and so many bytes. */
static const char *
counted(struct log *l, int fd)
{
	size_t len = 0;
	char c;

	for (;;) {
		flush_until_ready(l, fd);
		assert_int_equal(MUST(read(fd, &c, 1)), 1);
		if (c == ' ')
			break;
		/* MSG-LEN = NONZERO-DIGIT *DIGIT */
		assert_in_range(c, len == 0 ? '1' : '0', '9');
		len = len * 10 + (size_t)(c - '0');
	}
	assert_in_range(len, 1, 4096);
	assert_int_equal(read_full(fd, text, len), len);
	text[len] = '\0';
	return text;
}

/* *word* up to the next blank; returns what follows that. */
static const char *
field(const char *msg, const char *word)
{
	size_t len = strcspn(msg, " ");

	if (strlen(word) != len || memcmp(msg, word, len) != 0)
		fail_msg("not \"%s\" at the beginning of: %s", word, msg);
	return msg + len + 1;
}

/* A form: 0 stands for any digit. */
static void
assert_form(const char *given, const char *form)
{
	for (; *form != '\0'; form++, given++)
		if (*form == '0' ? !isdigit((unsigned char)*given) :
		    *given != *form)
			fail_msg("not of the form \"%s\": %s", form, given);
}

/* RFC 5424, section 6: HEADER SP STRUCTURED-DATA SP MSG. */
static void
assert_rfc5424(const char *msg, int pri, const char *want)
{
	char word[100];

	snprintf(word, sizeof(word), "<%d>1", pri);
	msg = field(msg, word);				/* PRI VERSION */
	assert_form(msg, "0000-00-00T00:00:00.000Z ");	/* TIMESTAMP */
	msg = behind(msg, " ");
	MUST(gethostname(word, sizeof(word)));
	msg = field(msg, word);				/* HOSTNAME */
	msg = field(msg, "shuttled");			/* APP-NAME */
	snprintf(word, sizeof(word), "%d", (int)getpid());
	msg = field(msg, word);				/* PROCID */
	msg = field(msg, "-");				/* MSGID */
	msg = field(msg, "-");				/* STRUCTURED-DATA */
	assert_string_equal(msg, want);
}

/* The next datagram is this. False: it does not come. */
static bool
udp_is(int fd, int level, const char *want)
{
	if (!comes(fd, POLLIN, 1000))
		return false;
	assert_rfc5424(datagram(fd), LOG_LOCAL3 | level, want);
	return true;
}

/* What the log says, and so it comes; false if the network has lost some. */
static bool
udp_comes(void)
{
	struct log *l;
	bool whole;
	int fd, old;

	fd = udp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	assert_non_null(l);
	log_ident(l, "worker 2");
	log_line(l, LOG_WARNING, "%d%%", 7);
	whole = udp_is(fd, LOG_WARNING, "worker 2: 7%");
	text_string(log_begin(l, LOG_INFO), "one");
	log_end(l);
	text_string(log_begin(l, LOG_INFO), "two");
	log_end(l);
	assert_false(comes(fd, POLLIN, 0));
	log_flush(l);
	whole = whole && udp_is(fd, LOG_INFO, "worker 2: one") &&
	    udp_is(fd, LOG_INFO, "worker 2: two");
	log_set_style(l, LOG_STYLE_BARE);
	text_string(log_begin(l, LOG_INFO), "bare");
	log_end(l);
	log_flush(l);
	whole = whole && udp_is(fd, LOG_INFO, "bare");
	/* Workers may not make one of these: the master hands it over. */
	old = log_fd(l);
	assert_int_not_equal(old, -1);
	assert_int_equal(log_reopen(l), 0);
	assert_int_not_equal(log_fd(l), -1);
	log_line(l, LOG_ERR, "three");
	whole = whole && udp_is(fd, LOG_ERR, "worker 2: three");
	log_close(l);
	close(fd);
	return whole;
}

/* Nothing promises that datagrams arrive, so the network may lose some. */
static void
test_udp(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		if (udp_comes())
			return;
	fail_msg("of five times not all datagrams came once");
}

/* Nobody there: the system tells, one line late. */
static void
test_udp_refused(void **state)
{
	_Atomic uint64_t lost = 0;
	struct log *l;
	int i, lines = 0;

	(void)state;
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

static void
test_tcp(void **state)
{
	struct log *l;
	int listener, fd;

	(void)state;
	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	assert_non_null(l);
	/* Each process has its own connection, and none before it is needed. */
	assert_int_equal(log_fd(l), -1);
	assert_false(comes(listener, POLLIN, 0));
	log_ident(l, "worker 2");
	log_line(l, LOG_NOTICE, "first");
	fd = (int)MUST(accept(listener, NULL, NULL));
	log_line(l, LOG_ERR, "%s", "");
	log_line(l, LOG_DEBUG, "not wanted");
	log_line(l, LOG_INFO, "third");
	assert_rfc5424(counted(l, fd), LOG_DAEMON | LOG_NOTICE,
	    "worker 2: first");
	assert_rfc5424(counted(l, fd), LOG_DAEMON | LOG_ERR, "worker 2: ");
	assert_rfc5424(counted(l, fd), LOG_DAEMON | LOG_INFO,
	    "worker 2: third");
	log_line(l, LOG_INFO, "at the end");
	log_close(l);
	assert_int_equal(read(fd, text, 3), 3);
	assert_true(read_full(fd, text, sizeof(text)) > 0);
	close(fd);
	close(listener);
}

/* What was asked for in the last moment comes. */
static void
test_tcp_says_goodbye(void **state)
{
	struct log *l;
	int listener, fd;

	(void)state;
	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_line(l, LOG_NOTICE, "bye");
	log_close(l);
	fd = (int)MUST(accept(listener, NULL, NULL));
	read_text(fd, text, sizeof(text));
	assert_non_null(strstr(text, "start: bye"));
	close(fd);
	close(listener);
}

static void
test_tcp_of_a_child(void **state)
{
	int listener, fd, other;
	struct log *l;
	pid_t pid;

	(void)state;
	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_ident(l, "parent");
	log_line(l, LOG_NOTICE, "before");
	fd = (int)MUST(accept(listener, NULL, NULL));
	assert_non_null(strstr(counted(l, fd), "parent: before"));
	if ((pid = (pid_t)MUST(fork())) == 0) {
		log_ident(l, "child");
		log_line(l, LOG_NOTICE, "here");
		log_close(l);
		_exit(0);
	}
	other = (int)MUST(accept(listener, NULL, NULL));
	read_text(other, text, sizeof(text));
	assert_non_null(strstr(text, "child: here"));
	assert_int_equal(wait_child(pid), 0);
	log_line(l, LOG_NOTICE, "after");
	assert_non_null(strstr(counted(l, fd), "parent: after"));
	log_close(l);
	close(fd);
	close(other);
	close(listener);
}

/* Of so many lines each comes, in order, or is told of as lost. */
static void
assert_all_accounted(struct log *l, int fd, unsigned lines, unsigned *told)
{
	unsigned seen = 0, next = 0, number;
	uint64_t give_up = clock_ms() + PATIENCE;
	const char *at;

	for (*told = 0; seen + *told < lines; assert_true(clock_ms() < give_up)) {
		/* Losses are told of once in a second, behind a line. */
		if (!comes(fd, POLLIN, 0) && log_wait(l, -1) == -1)
			log_line(l, LOG_INFO, "number %u ", lines++);
		if ((at = strstr(counted(l, fd), ": number ")) == NULL) {
			assert_non_null(at = strstr(text, " log: "));
			*told += (unsigned)strtoul(at + 6, NULL, 10);
			continue;
		}
		number = (unsigned)strtoul(at + 9, NULL, 10);
		assert_true(number >= next);
		next = number + 1;
		seen++;
	}
	assert_int_equal(seen + *told, lines);
}

/*
 * It takes nothing for a while: 64 KiB wait, the rest is lost and counted. How
 * often the system finds more room in between is up to it.
 */
static void
test_tcp_stalls(void **state)
{
	_Atomic uint64_t lost = 0;
	unsigned i, told;
	int listener, fd;
	struct log *l;

	(void)state;
	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_count_lost(l, &lost);
	log_line(l, LOG_INFO, "number 0 ");
	fd = (int)MUST(accept(listener, NULL, NULL));
	for (i = 1; atomic_load(&lost) < 1000; i++) {
		assert_in_range(i, 0, 1000000);
		log_line(l, LOG_INFO, "number %u %0500d", i, 0);
	}
	assert_all_accounted(l, fd, i, &told);
	assert_int_equal(told, lost);
	log_close(l);
	close(fd);
	close(listener);
}

/* End of file, which has come to the other side. */
static void
shut_and_arrive(int fd)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	struct tcp_info info;
	socklen_t len = sizeof(info);

	MUST(shutdown(fd, SHUT_WR));
	do {
		assert_true(clock_ms() < give_up);
		MUST(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	} while (info.tcpi_state != TCP_FIN_WAIT2);
}

/* It dies in the middle of a line: a new connection begins with that line. */
static void
test_tcp_comes_again(void **state)
{
	int listener, fd, i;
	struct log *l;

	(void)state;
	listener = tcp_receiver(path, sizeof(path));
	l = log_open(path, LOG_INFO);
	log_line(l, LOG_INFO, "number 0");
	fd = (int)MUST(accept(listener, NULL, NULL));
	for (i = 0; log_wait(l, -1) == -1; i++)
		log_line(l, LOG_INFO, "number %d %0500d", i, 0);
	close(fd);
	flush_until_ready(l, listener);
	fd = (int)MUST(accept(listener, NULL, NULL));
	assert_non_null(strstr(counted(l, fd), ": number "));
	assert_int_equal(text[0], '<');
	/* An orderly end is seen before the next line is sent. */
	while (log_wait(l, -1) != -1)
		counted(l, fd);
	shut_and_arrive(fd);
	log_line(l, LOG_INFO, "on the third");
	close(fd);
	flush_until_ready(l, listener);
	fd = (int)MUST(accept(listener, NULL, NULL));
	assert_non_null(strstr(counted(l, fd), ": on the third"));
	log_close(l);
	close(fd);
	close(listener);
}

/* Who refuses is not asked with every line. */
static void
test_tcp_refuses(void **state)
{
	struct sockaddr_in at;
	struct log *l;
	int listener, i, fd;

	(void)state;
	listener = loopback_bind(&at);
	snprintf(path, sizeof(path), "syslog+tcp://127.0.0.1:%u/user",
	    ntohs(at.sin_port));
	l = log_open(path, LOG_INFO);
	for (i = 0; i < 100; i++)
		log_line(l, LOG_INFO, "number %d", i);
	assert_int_equal(log_wait(l, 5000), 100);
	MUST(listen(listener, 5));
	flush_until_ready(l, listener);
	fd = (int)MUST(accept(listener, NULL, NULL));
	for (i = 0; i < 100; i++) {
		char want[40];

		snprintf(want, sizeof(want), "start: number %d", i);
		assert_rfc5424(counted(l, fd), LOG_USER | LOG_INFO, want);
	}
	log_close(l);
	close(fd);
	close(listener);
}

/* RFC 3164 without the host, as syslog(3) writes it. */
static void
test_local(void **state)
{
	int fd = local_receiver();
	char want[64];
	struct log *l;

	(void)state;
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
static void
test_local_stream(void **state)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	(void)state;
	unlink(path);
	strlcpy(here.sun_path, path, sizeof(here.sun_path));
	MUST(bind(fd, (struct sockaddr *)&here, sizeof(here)));
	MUST(listen(fd, 1));
	assert_non_null(strstr(log_missing("syslog"), "takes a stream"));
	close(fd);
	unlink(path);
}

static void
test_limit_of_files(void **state)
{
	struct rlimit was, now;

	(void)state;
	MUST(getrlimit(RLIMIT_FSIZE, &was));
	now = was;
	now.rlim_cur = 1 << 20;
	MUST(setrlimit(RLIMIT_FSIZE, &now));
	assert_non_null(strstr(log_missing("/nowhere/log"), "ulimit -f"));
	assert_null(log_missing("stderr"));
	MUST(setrlimit(RLIMIT_FSIZE, &was));
}

/* The daemon is not there yet, is slow, and is started again. */
static void
test_local_comes_and_goes(void **state)
{
	struct log *l;
	int fd, i;

	(void)state;
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
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, make_log_dir, \
		remove_log_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_udp),
		TEST(test_udp_refused),
		TEST(test_tcp),
		TEST(test_tcp_says_goodbye),
		TEST(test_tcp_of_a_child),
		TEST(test_tcp_stalls),
		TEST(test_tcp_comes_again),
		TEST(test_tcp_refuses),
		TEST(test_local),
		TEST(test_local_comes_and_goes),
		TEST(test_local_stream),
		TEST(test_limit_of_files),
	};

	return RUN(tests);
}
