/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_file_text.c: what can be wrong with a file is an error, and never a wait.
 */
#include "sys/file_text.h"

#include <sys/un.h>

#include "helpers.h"

static char path[100];
static size_t cut_at, len;
static struct stat st;

/* In the midst of the file another process cuts it. */
ssize_t
__wrap_read(int fd, void *to, size_t n)
{
	ssize_t got;

	if (cut_at == 0)
		return __real_read(fd, to, n);
	got = __real_read(fd, to, n < cut_at ? n : cut_at);
	MUST(truncate(path, (off_t)cut_at));
	return got;
}

static void
fill_file(size_t n, char c)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	while (n-- > 0)
		putc(c, f);
	assert_int_equal(fclose(f), 0);
}

int
set_up(void)
{
	snprintf(path, sizeof(path), "/tmp/shuttled-text.%d", (int)getpid());
	cut_at = 0;
	return 0;
}

int
tear_down(void)
{
	unlink(path);
	return 0;
}

static void
fails_with(int err)
{
	size_t before = open_descriptors();

	assert_null(file_text(path, &len, &st));
	assert_int_equal(errno, err);
	assert_non_null(file_text_why(err));
	assert_int_equal(open_descriptors(), before);
}

TEST(sizes)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 1000000 };
	char *text;
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		fill_file(sizes[i], 'x');
		assert_non_null(text = file_text(path, &len, &st));
		assert_int_equal(len, sizes[i]);
		assert_int_equal(strspn(text, "x"), sizes[i]);
		assert_int_equal(text[len], 0);
		assert_int_equal(st.st_size, sizes[i]);
		free(text);
	}
}

/* Files that the kernel makes have no size. */
TEST(proc)
{
	char *text;

	assert_non_null(text = file_text("/proc/self/status", &len, &st));
	assert_int_equal(strlen(text), len);
	assert_non_null(strstr(text, "Pid:"));
	free(text);
}

TEST(no_text)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	fails_with(ENOENT);
	MUST(mkfifo(path, 0600));
	fails_with(ENXIO);
	unlink(path);
	MUST(mkdir(path, 0700));
	fails_with(EISDIR);
	rmdir(path);
	MUST(symlink("/dev/zero", path));
	fails_with(ENXIO);
	unlink(path);
	/* It is read from, and that fails. */
	MUST(symlink("/proc/self/mem", path));
	fails_with(EIO);
	unlink(path);
	strcpy(un.sun_path, path);
	fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(fd, (struct sockaddr *)&un, sizeof(un)));
	fails_with(ENXIO);
	close(fd);
}

TEST(too_long)
{
	fill_file(1, 'x');
	MUST(truncate(path, ((off_t)64 << 20) + 1));
	fails_with(EFBIG);
}

TEST(cut_while_read)
{
	fill_file(10000, 'x');
	cut_at = 100;
	fails_with(EBUSY);
}
