/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_log_file.c: logs in files and pipes that several processes share, that are
 * moved away and opened again, or handed over. See log.c for the lines.
 */
#include "log/log.h"

#include <signal.h>

#include "helpers.h"
#include "log_rig.h"

static char	moved[80];

int
set_up(void)
{
	make_log_dir();
	snprintf(moved, sizeof(moved), "%s/log.1", dir);
	return 0;
}

/* Put *fd* in the place of stderr, or the old one back. */
static int
swap_stderr(int fd)
{
	int saved = dup(STDERR_FILENO);

	dup2(fd, STDERR_FILENO);
	close(fd);
	return saved;
}

/* A log to a pipe that waits, and that cannot be opened to do otherwise. */
static struct log *
open_waiting(int p[2], int *saved)
{
	struct log *l;
	rlim_t limit;

	MUST(pipe(p));
	*saved = swap_stderr(p[1]);
	limit = forbid_descriptors();
	l = log_open("stderr", LOG_INFO);
	allow_descriptors(limit);
	assert_non_null(l);
	return l;
}

/* A line begins here. */
static void
assert_head(const char *line)
{
	assert_int_equal(line[10], 'T');
	assert_memory_equal(line + 23, "Z start[", 8);
}

TEST(file)
{
	struct log *l;
	struct stat st;
	mode_t mask = umask(0);

	l = open_log(LOG_INFO);
	umask(mask);
	MUST(fstat(log_fd(l), &st));
	/* Addresses of clients are in it: not for everybody. */
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fcntl(log_fd(l), F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(log_fd(l), F_GETFL) & O_APPEND);
	log_line(l, LOG_INFO, "one");
	log_close(l);
	l = open_log(LOG_INFO);
	log_line(l, LOG_INFO, "two");
	log_close(l);
	slurp(path);
	assert_non_null(strstr(text, "one\n"));
	assert_non_null(strstr(text, "two\n"));
}

#define WRITERS		4
#define LINES		400

/* Each writer's lines have a length and a letter that can be checked. */
static int
write_many(struct log *l, int writer)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	int i;

	for (i = 0; i < LINES; i++) {
		gather(l, LOG_INFO, "%d %d %.*s", writer, i,
		    1 + (i * 7 + writer) % 50, letters);
		if (i % (3 + writer) == 0)
			log_flush(l);
	}
	/* Nobody waits for the reader of a pipe. */
	while (log_flush(l), log_wait(l, -1) != -1)
		poll(NULL, 0, 1);
	return 0;
}

static void
check_many(const char *at)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	int next[WRITERS] = { 0 }, lines = 0, writer, i;
	const char *end;
	char *rest;

	for (; *at != '\0'; at = end + 1, lines++) {
		assert_head(at);
		end = strchr(at, '\n');
		assert_non_null(end);
		at = strstr(at, "info: ");
		assert_non_null(at);
		writer = (int)strtol(at + 6, &rest, 10);
		assert_in_range(writer, 0, WRITERS - 1);
		i = (int)strtol(rest, &rest, 10);
		assert_int_equal(i, next[writer]++);
		assert_int_equal(end - rest - 1, 1 + (i * 7 + writer) % 50);
		assert_memory_equal(rest + 1, letters,
		    (size_t)(end - rest - 1));
	}
	assert_int_equal(lines, WRITERS * LINES);
}

static void
run_writers(struct log *l, pid_t pid[WRITERS])
{
	int i;

	for (i = 0; i < WRITERS; i++)
		if ((pid[i] = (pid_t)MUST(fork())) == 0)
			_exit(write_many(l, i));
}

TEST(processes_share_a_pipe)
{
	pid_t pid[WRITERS];
	int p[2], saved, i;
	struct log *l;

	l = open_waiting(p, &saved);
	run_writers(l, pid);
	log_close(l);
	close(swap_stderr(saved));
	read_text(p[0], text, sizeof(text));
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(wait_child(pid[i]), 0);
	check_many(text);
	close(p[0]);
}

TEST(processes_share_a_file)
{
	struct log *l = open_log(LOG_INFO);
	pid_t pid[WRITERS];
	int i;

	run_writers(l, pid);
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(wait_child(pid[i]), 0);
	log_close(l);
	check_many(slurp(path));
}

TEST(reopen)
{
	struct log *l = open_log(LOG_INFO);
	int before = open_descriptors();

	log_line(l, LOG_INFO, "one");
	gather(l, LOG_INFO, "two");
	MUST(rename(path, moved));
	assert_int_equal(log_reopen(l), 0);
	assert_int_equal(fcntl(log_fd(l), F_GETFD), FD_CLOEXEC);
	log_line(l, LOG_INFO, "three");
	slurp(moved);
	assert_non_null(strstr(text, ": one\n"));
	assert_non_null(strstr(text, ": two\n"));
	assert_null(strstr(text, ": three\n"));
	slurp(path);
	assert_non_null(strstr(text, ": three\n"));
	assert_null(strstr(text, ": two\n"));
	assert_int_equal(open_descriptors(), before);
	log_close(l);
	assert_int_equal(open_descriptors(), before - 1);
}

TEST(failed_reopen_keeps_the_old_file)
{
	struct log *l = open_log(LOG_INFO);
	int before = open_descriptors();
	rlim_t limit;
	int rc;

	MUST(rename(path, moved));
	MUST(mkdir(path, 0700));
	assert_int_equal(log_reopen(l), -1);
	assert_int_equal(errno, EISDIR);
	log_line(l, LOG_INFO, "still here");
	MUST(rmdir(path));
	limit = forbid_descriptors();
	rc = log_reopen(l);
	allow_descriptors(limit);
	assert_int_equal(rc, -1);
	assert_int_equal(errno, EMFILE);
	log_line(l, LOG_INFO, "and here");
	assert_int_equal(open_descriptors(), before);
	slurp(moved);
	assert_non_null(strstr(text, ": still here\n"));
	assert_non_null(strstr(text, ": and here\n"));
	log_close(l);
}

TEST(use_fd)
{
	struct log *l = open_log(LOG_INFO);
	int old = log_fd(l), p[2];

	MUST(pipe(p));
	gather(l, LOG_INFO, "to the old");
	log_use_fd(l, p[1]);
	assert_false(is_open(old));
	assert_int_equal(log_fd(l), p[1]);
	log_line(l, LOG_INFO, "to the new");
	log_close(l);
	assert_false(is_open(p[1]));
	assert_non_null(strstr(slurp(path), ": to the old\n"));
	read_text(p[0], text, sizeof(text));
	assert_non_null(strstr(text, ": to the new\n"));
	assert_null(strstr(text, "old"));
	close(p[0]);
}

/* The log owns it also when it began without a file of its own. */
TEST(use_fd_of_others)
{
	struct log *l;
	int p[2], q[2];

	MUST(pipe(p));
	MUST(pipe(q));
	l = log_open("stderr", LOG_INFO);
	log_use_fd(l, p[1]);
	assert_true(is_open(STDERR_FILENO));
	log_use_fd(l, q[1]);
	assert_false(is_open(p[1]));
	log_close(l);
	assert_false(is_open(q[1]));
	close(p[0]);
	close(q[0]);
}

TEST(stderr)
{
	int p[2], saved, fd;
	struct log *l;

	MUST(pipe(p));
	saved = swap_stderr(p[1]);
	l = log_open("stderr", LOG_NOTICE);
	fd = log_fd(l);
	log_line(l, LOG_NOTICE, "said");
	assert_int_equal(log_reopen(l), 0);
	gather(l, LOG_WARNING, "more");
	log_close(l);
	write_text(STDERR_FILENO, "still open");
	close(swap_stderr(saved));
	/* Every process has its own: there is nothing to hand over. */
	assert_int_equal(fd, -1);
	read_text(p[0], text, sizeof(text));
	assert_head(text);
	assert_non_null(strstr(text, " notice: said\n"));
	assert_non_null(strstr(text, " warning: more\nstill open"));
	close(p[0]);
}

/*
 * Write until lines are kept, which must not take long; then read from *from*
 * what is there, and all the others come.
 */
static void
fill_and_empty(struct log *l, int from)
{
	char rest[64];
	int i;

	for (i = 0; log_wait(l, -1) == -1; i++) {
		assert_in_range(i, 0, 100000);
		log_line(l, LOG_INFO, "number %d %0100d", i, 0);
	}
	log_line(l, LOG_INFO, "the last");
	set_nonblocking(from);
	*text = '\0';
	do {
		while (read(from, rest, sizeof(rest)) > 0)
			continue;
		log_flush(l);
	} while (log_wait(l, -1) != -1);
	MUST(read(from, text, sizeof(text)));
	assert_non_null(strstr(text, ": the last\n"));
}

/* A terminal or pipe at stderr stays for others what it was. */
TEST(stderr_that_nobody_reads)
{
	int p[2], saved, before, after;
	struct log *l;

	MUST(pipe(p));
	before = fcntl(p[1], F_GETFL);
	saved = swap_stderr(p[1]);
	l = log_open("stderr", LOG_INFO);
	fill_and_empty(l, p[0]);
	after = fcntl(STDERR_FILENO, F_GETFL);
	log_close(l);
	close(swap_stderr(saved));
	close(p[0]);
	assert_int_equal(after, before);
	assert_false(after & O_NONBLOCK);
}

/* As under a service manager. */
TEST(stderr_is_a_socket)
{
	int p[2], saved;
	struct log *l;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	saved = swap_stderr(p[1]);
	l = log_open("stderr", LOG_INFO);
	fill_and_empty(l, p[0]);
	log_close(l);
	close(swap_stderr(saved));
	close(p[0]);
}

TEST(pipe_that_waits)
{
	int p[2], saved;
	struct log *l;

	l = open_waiting(p, &saved);
	fill_and_empty(l, p[0]);
	assert_false(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
	log_close(l);
	close(swap_stderr(saved));
	close(p[0]);
}

/* Its reader comes late, goes, and comes again. */
TEST(fifo)
{
	struct log *l;
	int reader;

	MUST(mkfifo(path, 0600));
	l = open_log(LOG_INFO);
	log_line(l, LOG_INFO, "early");
	reader = (int)MUST(open(path, O_RDONLY | O_NONBLOCK));
	fill_and_empty(l, reader);
	close(reader);
	log_close(l);
	/* One opened while there was a reader is without one in between. */
	reader = (int)MUST(open(path, O_RDONLY | O_NONBLOCK));
	l = open_log(LOG_INFO);
	close(reader);
	signal(SIGPIPE, SIG_IGN);
	log_line(l, LOG_INFO, "meanwhile");
	reader = (int)MUST(open(path, O_RDONLY | O_NONBLOCK));
	log_flush(l);
	assert_true(MUST(read(reader, text, sizeof(text))) > 0);
	assert_non_null(strstr(text, ": meanwhile\n"));
	signal(SIGPIPE, SIG_DFL);
	close(reader);
	log_close(l);
}

/* The file may be no longer: RLIMIT_FSIZE, as a quota or a full disk. */
TEST(full_disk)
{
	struct log *l = open_log(LOG_INFO);
	_Atomic uint64_t lost = 0;
	struct rlimit rl, was;
	struct stat st;
	int i;

	signal(SIGXFSZ, SIG_IGN);
	MUST(getrlimit(RLIMIT_FSIZE, &was));
	rl = was;
	rl.rlim_cur = 10000;
	MUST(setrlimit(RLIMIT_FSIZE, &rl));
	log_count_lost(l, &lost);
	for (i = 0; i < 2000; i++)
		log_line(l, LOG_INFO, "number %d", i);
	MUST(stat(path, &st));
	MUST(setrlimit(RLIMIT_FSIZE, &was));
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(st.st_size, 10000);
	assert_in_range(lost, 100, 1900);
	log_close(l);
	slurp(path);
	for (i = 0; i < 2000 - (int)lost; i++) {
		char want[32];

		snprintf(want, sizeof(want), ": number %d\n", i);
		assert_non_null(strstr(text, want));
	}
	assert_non_null(strstr(text, " lines lost\n"));
}

/* What the old target has not taken is told to the new one. */
TEST(replace_counts)
{
	_Atomic uint64_t lost = 0;
	unsigned i, came = 0;
	struct log *l;
	const char *c;
	int reader;

	MUST(mkfifo(path, 0600));
	l = open_log(LOG_INFO);
	reader = (int)MUST(open(path, O_RDONLY | O_NONBLOCK));
	log_count_lost(l, &lost);
	for (i = 0; atomic_load(&lost) < 10; i++) {
		assert_in_range(i, 0, 100000);
		log_line(l, LOG_INFO, "number %u", i);
	}
	log_replace(l, log_open(moved, LOG_INFO));
	read_text(reader, text, sizeof(text));
	for (c = text; (c = strchr(c, '\n')) != NULL; c++)
		came++;
	assert_int_equal(came + lost, i);
	log_line(l, LOG_INFO, "to the new");
	log_close(l);
	assert_non_null(c = strstr(slurp(moved), " log: "));
	assert_int_equal(strtoul(c + 6, NULL, 10), lost);
	close(reader);
}

TEST(open_errors)
{
	assert_null(log_open(dir, LOG_INFO));
	assert_int_equal(errno, EISDIR);
	snprintf(path, sizeof(path), "%s/none/log", dir);
	assert_null(log_open(path, LOG_INFO));
	assert_int_equal(errno, ENOENT);
	log_close(NULL);
}

TEST(out_of_memory)
{
	int before = open_descriptors(), n;
	struct log *l;

	alloc_needed();
	for (n = 0; ; n++) {
		alloc_fail(n);
		l = log_open(path, LOG_INFO);
		if (!alloc_failed())
			break;
		assert_null(l);
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(open_descriptors(), before);
	}
	assert_true(n > 0);
	log_close(l);
}
