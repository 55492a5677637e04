/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
#include "sys/safe_file.h"

#include <dirent.h>

#include "helpers.h"

/* A directory of our own; its files are named by in(). */
static char where[200];

static const char *
in(const char *name)
{
	static char path[4][300];
	static unsigned turn;
	char *p = path[turn++ % COUNT(path)];

	snprintf(p, sizeof(path[0]), "%s/%s", where, name);
	return p;
}

int
set_up(void)
{
	snprintf(where, sizeof(where), "/tmp/shuttled-unit.XXXXXX");
	return mkdtemp(where) == NULL ? -1 : 0;
}

static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
tear_down(void)
{
	return nftw(where, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void
assert_holds(const char *path, const char *text)
{
	char buf[64] = "";
	int fd = (int)MUST(open(path, O_RDONLY));

	MUST(read(fd, buf, sizeof(buf) - 1));
	close(fd);
	assert_string_equal(buf, text);
}

static void
assert_fails(int result, int err)
{
	assert_int_equal(result, -1);
	assert_int_equal(errno, err);
}

TEST(a_draft_takes_the_place_at_once)
{
	int open_before = open_descriptors();
	struct safe_draft d;
	struct file_id id;

	write_file(in("file"), "old");
	assert_int_equal(safe_file_begin(&d, in("file"), 0644), 0);
	assert_int_equal(write(d.fd, "new", 3), 3);
	assert_holds(in("file"), "old");
	assert_int_equal(safe_file_publish(&d, in("file")), 0);
	assert_holds(in("file"), "new");
	safe_file_remember_fd(&id, d.fd);
	close(d.fd);
	assert_true(safe_file_is_same(&id, in("file")));
	safe_file_remove(&id, in("file"));
	assert_fails(access(in("file"), F_OK), ENOENT);
	/* A second time there is nothing to remove. */
	write_file(in("file"), "another");
	safe_file_remove(&id, in("file"));
	assert_holds(in("file"), "another");

	assert_int_equal(safe_file_begin(&d, in("file"), 0644), 0);
	safe_file_discard(&d);
	assert_holds(in("file"), "another");
	assert_int_equal(open_descriptors(), open_before);
}

static int
entries(const char *dir)
{
	const struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

/* One that was killed cannot do it by itself. */
TEST(drafts_of_the_dead_are_removed)
{
	struct safe_draft d;
	pid_t pid;

	if ((pid = (pid_t)MUST(fork())) == 0)
		_exit(safe_file_begin(&d, in("file"), 0644) == 0 ? 0 : 1);
	assert_int_equal(wait_child(pid), 0);
	assert_int_equal(safe_file_begin(&d, in("file"), 0644), 0);
	assert_int_equal(entries(where), 2);
	safe_file_sweep(in("file"), pid);
	assert_int_equal(entries(where), 1);
	assert_int_equal(access(in(d.temp), F_OK), 0);
	safe_file_discard(&d);
	safe_file_sweep(in("no/file"), pid);
}

/* The number of an inode comes again at once on many file systems. */
TEST(another_file_is_not_removed)
{
	static const struct timespec past[2] = { { .tv_sec = 1 } };
	struct file_id id;

	write_file(in("file"), "ours");
	safe_file_remember(&id, in("file"));
	MUST(unlink(in("file")));
	write_file(in("file"), "theirs");
	MUST(utimensat(AT_FDCWD, in("file"), past, 0));
	assert_false(safe_file_is_same(&id, in("file")));
	safe_file_remove(&id, in("file"));
	assert_holds(in("file"), "theirs");
	safe_file_remove(&id, in("nothing"));
}

TEST(links_and_others_are_refused)
{
	struct safe_draft d;

	write_file(in("victim"), "precious");
	MUST(symlink(in("victim"), in("link")));
	MUST(mkfifo(in("fifo"), 0600));
	assert_fails(safe_file_begin(&d, in("link"), 0644), ELOOP);
	assert_fails(safe_file_begin(&d, in("fifo"), 0644), EEXIST);
	assert_fails(safe_file_check(in("link")), ELOOP);
	assert_fails(safe_file_check(in("fifo")), EEXIST);
	assert_fails(safe_file_open(in("link")), ELOOP);
	assert_fails(safe_file_open(in("fifo")), EEXIST);
	assert_fails(safe_file_create(in("link"), 0644), EEXIST);
	assert_fails(safe_file_check(in("no/file")), ENOENT);
	assert_holds(in("victim"), "precious");
}

TEST(a_directory_that_is_open_to_all)
{
	struct safe_draft d;
	char why[400];

	MUST(mkdir(in("open"), 0700));
	MUST(chmod(in("open"), 0777));
	assert_fails(safe_file_begin(&d, in("open/file"), 0644), EPERM);
	assert_non_null(strstr(safe_file_reason(in("open/file"), errno, why,
	    sizeof(why)), in("open")));
	assert_fails(safe_file_open_log(in("open/file")), EPERM);
	assert_fails(safe_file_check_log(in("open/file")), EPERM);
	assert_fails(safe_file_check(in("open/file")), EPERM);
	assert_fails(safe_file_create(in("open/file"), 0644), EPERM);
	MUST(chmod(in("open"), 01777));
	assert_int_equal(safe_file_begin(&d, in("open/file"), 0644), 0);
	safe_file_discard(&d);
	/* A second name for a file that others may want to see changed. */
	write_file(in("victim"), "precious");
	MUST(link(in("victim"), in("open/file")));
	assert_fails(safe_file_open_log(in("open/file")), EPERM);
	assert_fails(safe_file_open(in("open/file")), EPERM);
}

static void
assert_refused(const char *path, int err, const char *word)
{
	struct safe_draft d;
	char why[600];

	assert_fails(safe_file_begin(&d, path, 0644), err);
	assert_fails(safe_file_create(path, 0644), err);
	assert_fails(safe_file_open_log(path), err);
	assert_fails(safe_file_check(path), err);
	assert_fails(safe_file_check_log(path), err);
	assert_non_null(strstr(safe_file_reason(path, err, why, sizeof(why)),
	    word));
}

static void
assert_accepted(const char *path)
{
	struct safe_draft d;

	assert_int_equal(safe_file_check(path), 0);
	assert_int_equal(safe_file_check_log(path), 0);
	assert_int_equal(safe_file_begin(&d, path, 0644), 0);
	safe_file_discard(&d);
}

/* Whoever may exchange a directory decides on all that is below. */
TEST(all_directories_of_a_path_count)
{
	int open_before = open_descriptors();
	char path[400];

	MUST(mkdir(in("open"), 0700));
	MUST(mkdir(in("open/sub"), 0700));
	MUST(mkdir(in("open/sub/below"), 0700));
	MUST(symlink("open/sub", in("link")));
	MUST(symlink(in("link/below"), in("second")));
	MUST(symlink("third", in("third")));
	assert_accepted(in("open/sub/file"));
	assert_accepted(in("second/file"));
	assert_accepted(in("second/.././/below/../below/file"));
	assert_fails(safe_file_check(in("third/file")), ELOOP);
	MUST(chmod(in("open"), 0777));
	snprintf(path, sizeof(path), "the directory %s: set", in("open"));
	assert_refused(in("open/sub/below/file"), EPERM, path);
	assert_refused(in("second/file"), EPERM, path);
	assert_refused(in("open/../file"), EPERM, path);
	MUST(chmod(in("open"), 01777));
	assert_accepted(in("open/sub/below/file"));
	assert_accepted(in("second/file"));
	assert_int_equal(open_descriptors(), open_before);
}

/* The sticky bit protects what is ours, and what is theirs as well. */
TEST(what_others_put_on_the_way)
{
	if (geteuid() != 0)
		skip();
	MUST(mkdir(in("ours"), 0755));
	MUST(mkdir(in("open"), 0755));
	MUST(mkdir(in("open/theirs"), 0755));
	MUST(chown(in("open/theirs"), 1, 1));
	MUST(symlink(in("ours"), in("open/link")));
	MUST(lchown(in("open/link"), 1, 1));
	MUST(symlink(in("open/link"), in("to")));
	/* There nobody else may put anything. */
	assert_accepted(in("open/link/file"));
	assert_accepted(in("open/theirs/file"));
	MUST(chmod(in("open"), 01777));
	assert_refused(in("open/link/file"), ELOOP, "link of uid 1");
	assert_refused(in("to/file"), ELOOP, "link of uid 1");
	assert_refused(in("open/theirs/file"), EPERM, "belongs to uid 1");
	MUST(lchown(in("open/link"), 0, 0));
	assert_accepted(in("open/link/file"));
}

TEST(a_log_may_be_a_link_of_ours)
{
	int fd;

	MUST(mkdir(in("sub"), 0700));
	MUST(symlink("sub/log", in("relative")));
	MUST(symlink(in("relative"), in("absolute")));
	assert_int_equal(safe_file_check_log(in("absolute")), 0);
	assert_fails(access(in("sub/log"), F_OK), ENOENT);
	fd = safe_file_open_log(in("absolute"));
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "line", 4), 4);
	close(fd);
	assert_holds(in("sub/log"), "line");
	MUST(symlink("round", in("round")));
	assert_fails(safe_file_open_log(in("round")), ELOOP);
	/* Where a link leads counts as well. */
	MUST(chmod(in("sub"), 0777));
	assert_fails(safe_file_open_log(in("absolute")), EPERM);
}

TEST(a_log_may_be_a_descriptor)
{
	char path[64];
	int fd, file = (int)MUST(open(in("file"), O_RDWR | O_CREAT, 0600));

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	assert_int_equal(safe_file_check_log(path), 0);
	fd = safe_file_open_log(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "line", 4), 4);
	close(fd);
	close(file);
	assert_holds(in("file"), "line");
}

TEST(reasons_say_what_to_do)
{
	char why[100];

	assert_non_null(strstr(safe_file_reason("/x", EFBIG, why, sizeof(why)),
	    "ulimit -f"));
	assert_non_null(strstr(safe_file_reason("/x", ELOOP, why, sizeof(why)),
	    "symbolic link"));
	assert_string_equal(safe_file_reason("/x/y", ENOENT, why, sizeof(why)),
	    strerror(ENOENT));
}
