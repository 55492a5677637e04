/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * options.c: the command line is read again at each reload: the same must come
 * out, and all that is wrong in one go.
 */
#include "options.h"

#include "helpers.h"

static char argv0[] = "shuttled";
static struct complaints complaints;
static struct conf conf;

static enum options_action
parse(const char *line)
{
	char copy[2000], *words[100] = { argv0 }, *rest = copy, *word;
	int n = 1;

	strlcpy(copy, line, sizeof(copy));
	while ((word = strsep(&rest, " ")) != NULL)
		words[n++] = word;
	conf_init(&conf);
	return options_parse(&conf, n, words, &complaints);
}

static int
tear_down(void **state)
{
	(void)state;
	conf_free(&conf);
	complaints_free(&complaints);
	return 0;
}

static void
test_again(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(parse("-F -l 127.0.0.1:0 -b 127.0.0.1:1 "
		    "-b 127.0.0.1:2,weight=3 -vw 4"), OPTIONS_RUN);
		assert_int_equal(complaints.all, 0);
		assert_int_equal(conf.backends, 2);
		assert_int_equal(conf.listeners, 1);
		assert_int_equal(conf.workers, 4);
		tear_down(NULL);
		/* Left in the middle of a word. */
		assert_int_equal(parse("-VFv"), OPTIONS_DONE);
		tear_down(NULL);
	}
}

static void
test_all_in_one_go(void **state)
{
	static const char *const lines[] = {
		"option -x: there is no such option; try shuttled --help",
		"option -w, --workers: \"many\": auto or a number from 0 to 128",
		"option --bufers: there is no such option, perhaps --buffers; "
		    "try shuttled --help",
		"extra: this is not an option; try shuttled --help",
	};
	size_t i;

	(void)state;
	assert_int_equal(parse("-Fx -w many --bufers -v extra more"),
	    OPTIONS_ERROR);
	assert_int_equal(complaints.all, COUNT(lines));
	for (i = 0; i < COUNT(lines); i++)
		assert_string_equal(complaints.line[i], lines[i]);
}

static void
test_very_many(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2 * COMPLAINTS_MAX; i++)
		complain(&complaints, "number %d", i);
	assert_int_equal(complaints.n, COMPLAINTS_MAX);
	assert_int_equal(complaints.all, 2 * COMPLAINTS_MAX);
	assert_string_equal(complaints.line[99], "number 99");
	complaints_free(&complaints);
	assert_int_equal(complaints.all, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_again, tear_down),
		cmocka_unit_test_teardown(test_all_in_one_go, tear_down),
		cmocka_unit_test(test_very_many),
	};

	return RUN(tests);
}
