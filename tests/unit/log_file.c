/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_file.c: logs in files and pipes that several processes share, that are
 * moved away and opened again, or handed over. See log.c for the lines.
 */
#include "log.h"

#include "helpers.h"

static char	dir[64], path[80], moved[80];
static char	text[1 << 20];		/* a whole log */

static int
set_up(void **state)
{
	(void)state;
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(moved, sizeof(moved), "%s/log.1", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	remove_dir(dir);
	return 0;
}

static const char *
slurp(const char *file)
{
	int fd = open(file, O_RDONLY);

	if (fd == -1)
		return "(no file)";
	read_text(fd, text, sizeof(text));
	close(fd);
	return text;
}

static struct log *
open_log(int level)
{
	struct log *l = log_open(path, level);

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

static void
test_file(void **state)
{
	struct log *l;
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
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
		log_gather(l, LOG_INFO, "%d %d %.*s", writer, i,
		    1 + (i * 7 + writer) % 50, letters);
		if (i % (3 + writer) == 0)
			log_flush(l);
	}
	log_flush(l);
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

static void
test_processes_share_a_pipe(void **state)
{
	struct log *l = open_log(LOG_INFO);
	pid_t pid[WRITERS];
	int p[2], i;

	(void)state;
	MUST(pipe(p));
	log_use_fd(l, p[1]);
	run_writers(l, pid);
	log_close(l);
	read_text(p[0], text, sizeof(text));
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(wait_child(pid[i]), 0);
	check_many(text);
	close(p[0]);
}

static void
test_processes_share_a_file(void **state)
{
	struct log *l = open_log(LOG_INFO);
	pid_t pid[WRITERS];
	int i;

	(void)state;
	run_writers(l, pid);
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(wait_child(pid[i]), 0);
	log_close(l);
	check_many(slurp(path));
}

static void
test_reopen(void **state)
{
	struct log *l = open_log(LOG_INFO);
	int before = open_descriptors();

	(void)state;
	log_line(l, LOG_INFO, "one");
	log_gather(l, LOG_INFO, "two");
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

static void
test_failed_reopen_keeps_the_old_file(void **state)
{
	struct log *l = open_log(LOG_INFO);
	int before = open_descriptors();
	rlim_t limit;
	int rc;

	(void)state;
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

static void
test_use_fd(void **state)
{
	struct log *l = open_log(LOG_INFO);
	int old = log_fd(l), p[2];

	(void)state;
	MUST(pipe(p));
	log_gather(l, LOG_INFO, "to the old");
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
static void
test_use_fd_of_others(void **state)
{
	struct log *l;
	int p[2], q[2];

	(void)state;
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

static void
test_stderr(void **state)
{
	int p[2], saved, fd;
	struct log *l;

	(void)state;
	MUST(pipe(p));
	saved = dup(STDERR_FILENO);
	dup2(p[1], STDERR_FILENO);
	l = log_open("stderr", LOG_NOTICE);
	fd = log_fd(l);
	log_line(l, LOG_NOTICE, "said");
	assert_int_equal(log_reopen(l), 0);
	log_gather(l, LOG_WARNING, "more");
	log_close(l);
	write_text(STDERR_FILENO, "still open");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(p[1]);
	assert_int_equal(fd, STDERR_FILENO);
	read_text(p[0], text, sizeof(text));
	assert_head(text);
	assert_non_null(strstr(text, " notice: said\n"));
	assert_non_null(strstr(text, " warning: more\nstill open"));
	close(p[0]);
}

static void
test_open_errors(void **state)
{
	(void)state;
	assert_null(log_open(dir, LOG_INFO));
	assert_int_equal(errno, EISDIR);
	snprintf(path, sizeof(path), "%s/none/log", dir);
	assert_null(log_open(path, LOG_INFO));
	assert_int_equal(errno, ENOENT);
	log_close(NULL);
}

static void
test_out_of_memory(void **state)
{
	int before = open_descriptors(), n;
	struct log *l;

	(void)state;
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

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_processes_share_a_pipe),
		TEST(test_processes_share_a_file),
		TEST(test_reopen),
		TEST(test_failed_reopen_keeps_the_old_file),
		TEST(test_use_fd),
		TEST(test_use_fd_of_others),
		TEST(test_stderr),
		TEST(test_open_errors),
		TEST(test_out_of_memory),
	};

	return RUN(tests);
}
