/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* text.c: numbers, quotes and times, and that nothing is written too far. */
#include "util/text.h"

#include "helpers.h"

static char		buf[64];
static struct text	t;

static void
begin(size_t size)
{
	memset(buf, '#', sizeof(buf));
	t.at = buf;
	t.end = buf + size;
}

static void
assert_text(const char *want)
{
	assert_int_equal(t.at - buf, strlen(want));
	assert_memory_equal(buf, want, strlen(want));
	assert_int_equal(*t.at, '#');
}

TEST(numbers)
{
	static const struct {
		uint64_t    n;
		const char *want;
	} numbers[] = {
		{ 0, "0" }, { 9, "9" }, { 10, "10" }, { 65535, "65535" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		begin(60);
		text_number(&t, numbers[i].n);
		assert_text(numbers[i].want);
	}
	begin(60);
	text_padded(&t, 7, 3);
	text_padded(&t, 0, 2);
	text_padded(&t, 1234, 4);
	assert_text("007001234");
	begin(60);
	text_hex(&t, 0, 1);
	text_hex(&t, 0xa, 4);
	text_hex(&t, UINT64_MAX, 1);
	text_hex(&t, 0x1234, 2);
	assert_text("0000affffffffffffffff1234");
}

TEST(json)
{
	static const struct {
		size_t	    size;
		const char *text, *want;
	} strings[] = {
		{ 60, "", "\"\"" },
		{ 60, "a b/c", "\"a b/c\"" },
		{ 60, "\"\\", "\"\\\"\\\\\"" },
		{ 60, "\n\x1f\x7f", "\"\\u000a\\u001f\x7f\"" },
		{ 60, "\xc3\xa4", "\"\xc3\xa4\"" },
		/* What is cut off ends well all the same. */
		{ 1, "abc", "" },
		{ 2, "abc", "\"\"" },
		{ 4, "abc", "\"ab\"" },
		{ 4, "a\"b", "\"a\"" },
		{ 8, "a\n", "\"a\"" },
		{ 9, "a\n", "\"a\\u000a\"" },
	};
	size_t i;

	for (i = 0; i < COUNT(strings); i++) {
		begin(strings[i].size);
		text_json(&t, strings[i].text);
		assert_text(strings[i].want);
	}
}

TEST(what_does_not_fit)
{
	begin(5);
	text_string(&t, "abc");
	text_number(&t, 123456);
	assert_text("abc12");
	text_string(&t, "more");
	text_padded(&t, 1, 3);
	assert_text("abc12");
}

TEST(times)
{
	struct stamp stamps[3] = { { 0 } };
	int i;

	setenv("TZ", "Asia/Kathmandu", 1);
	tzset();
	for (i = 0; i < 2; i++) {
		begin(60);
		text_time(&t, &stamps[0], TIME_RFC3339, 1795311867);
		assert_text("2026-11-22T01:44:27");
		begin(60);
		text_time(&t, &stamps[1], TIME_RFC3164, 1795311867);
		assert_text("Nov 22 07:29:27");
		begin(60);
		text_time(&t, &stamps[2], TIME_HAPROXY, 1795311867);
		assert_text("22/Nov/2026:07:29:27");
	}
	begin(60);
	text_time(&t, &stamps[1], TIME_RFC3164, 1793500000);
	assert_text("Nov  1 08:11:40");
	begin(60);
	text_time(&t, &stamps[0], TIME_RFC3339, 0);
	assert_text("1970-01-01T00:00:00");
	unsetenv("TZ");
	tzset();
}
