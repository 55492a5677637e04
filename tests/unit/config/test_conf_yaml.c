/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_conf_yaml.c: trees of YAML texts, told as JSON of texts only: what becomes of
 * each style, of anchors and of what JSON tools write. And what is refused, with
 * its line and column, and what would be right.
 */
#include "config.h"
#include "config/conf_yaml.h"

#include "helpers.h"

static struct diagnostics diagnostics;
static struct conf_yaml tree;

int
tear_down(void)
{
	conf_yaml_free(&tree);
	diagnostics_free(&diagnostics);
	return 0;
}

static void
parse(const char *text, size_t len)
{
	tear_down();
	conf_yaml_parse(&tree, text, len, "/f", &diagnostics);
}

static void
put(const struct yaml_node *n, char *out, size_t size)
{
	static const char *const ends[] = { "''", "[]", "{}" };
	size_t i, each = n->kind == YAML_MAP ? 2 : 1;
	char end[2] = { ends[n->kind][1], '\0' };

	end[0] = ends[n->kind][0];
	strlcat(out, end, size);
	if (n->kind == YAML_TEXT)
		strlcat(out, n->text, size);
	else
		for (i = 0; i < each * n->n; i++) {
			strlcat(out, i == 0 ? "" : i % each == 1 ? ":" : ",",
			    size);
			put(n->item[i], out, size);
		}
	end[0] = ends[n->kind][1];
	strlcat(out, end, size);
}

TEST(trees)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{ "", "" }, { "---\n", "" }, { "# x\n", "" }, { "--- # x\n...\n", "" },
		{ "\xef\xbb\xbf" "a: 1", "{'a':'1'}" },
		{ "%YAML 1.1\n---\na: 1\n", "{'a':'1'}" },
		{ "%YAML 1.2\n---\na: 1\n...\n", "{'a':'1'}" },
		{ "{}", "{}" }, { "a:", "{'a':''}" }, { "a: {}\r\nb: []\r\n",
		    "{'a':{},'b':[]}" },
		/* All styles of one text. */
		{ "a: on\nb: 'on'\nc: \"on\"\nd: |-\n  on\ne: >-\n  on\n"
		    "\"f\": on\n? g\n: on\n", "{'a':'on','b':'on','c':'on',"
		    "'d':'on','e':'on','f':'on','g':'on'}" },
		/* Nothing is anything but its text. */
		{ "a: [1e3, 0x10, 80:80, ~, yes, null, .inf, 2026-11-30, 007, =]",
		    "{'a':['1e3','0x10','80:80','~','yes','null','.inf',"
		    "'2026-11-30','007','=']}" },
		{ "a: :80\nb: ::1\nc: 10.0.0.1:80\nd: unix:/x\ne: builtin:echo\n"
		    "f: unix:@x\ng: http://a/?b#c\nh: a #b\n", "{'a':':80','b':"
		    "'::1','c':'10.0.0.1:80','d':'unix:/x','e':'builtin:echo',"
		    "'f':'unix:@x','g':'http://a/?b#c','h':'a'}" },
		{ "a: [x:1, unix:/s, y]", "{'a':['x:1','unix:/s','y']}" },
		{ "a:\n- b\n- - c\n  - {d: e}\n",
		    "{'a':['b',['c',{'d':'e'}]]}" },
		{ "a: b\n  c\n", "{'a':'b c'}" },
		{ "a: |\n  b\n  c\n", "{'a':'b\nc\n'}" },
		{ "a: \"\\x41\\u00e9\\t\\\"\\/\"", "{'a':'A\xc3\xa9\t\"/'}" },
		{ "a: '\xc3\xa9''s'", "{'a':'\xc3\xa9's'}" },
		/* As programs write JSON. */
		{ "{\n\t\"a\":\t\"b\",\n\t\"c\":[1,\n\t\ttrue,null],\"d\":{\"e\":"
		    "-1.5}\n}\n", "{'a':'b','c':['1','true','null'],"
		    "'d':{'e':'-1.5'}}" },
		/* One node for many. */
		{ "a: &x [1]\nb: *x\nc: &x 2\nd: *x\n*x : 3\n",
		    "{'a':['1'],'b':['1'],'c':'2','d':'2','2':'3'}" },
		{ "a: 1,\n{b: 2,}", NULL }, { "{a: 1, b: [2, 3,],}",
		    "{'a':'1','b':['2','3']}" },
	};
	char got[500];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		parse(cases[i].text, strlen(cases[i].text));
		assert_true((diagnostics.all > 0) == (cases[i].tree == NULL));
		assert_true(tree.whole == (cases[i].tree != NULL));
		got[0] = '\0';
		if (tree.root != NULL)
			put(tree.root, got, sizeof(got));
		if (cases[i].tree != NULL)
			assert_string_equal(got, cases[i].tree);
	}
}

#define TAG	"a tag (!) is not used"
#define COLON	"within [ ] and { } a text that begins with a colon"
#define SECOND	"this colon makes a second NAME: VALUE in one line"

/* The first diagnostic begins with this line and column, and has this text. */
static const struct {
	const char *text, *place, *why;
	size_t n;			/* diagnostics */
} wrong[] = {
	{ "a: 1\nb: 2\na: 3\nc: {d: 1, 'd': 2, \"d\": 3}\n", "3:1",
	    "a stands in this section already, at /f:1; remove one", 3 },
	{ "a: 1\n\tb: 2\n", "2:1", "a tab cannot indent; use spaces", 1 },
	{ "\ta: 1\n", "1:1", "a tab cannot indent; use spaces", 1 },
	{ "a:\n\t- b\n", "2:1", "a tab cannot indent; use spaces", 1 },
	{ "a: !x b\n", "1:4", TAG, 1 }, { "a: !!str b\n", "1:4", TAG, 1 },
	{ "a: [!10.0.0.1, b]\n", "1:5", TAG, 1 }, { "a: !a!b c\n", "1:4", TAG, 1 },
	{ "a: ! b\n", "1:4", TAG, 1 }, { "!x {a: b}", "1:1", TAG, 1 },
	{ "a: !<x> [b]\n", "1:4", TAG, 1 }, { "!x a: b", "1:1", TAG, 1 },
	{ "a: 1\n---\nb: 2\n", "2:1", "a second document begins here", 1 },
	{ "a: 1\n...\n---\nb: 2\n", "3:1", "a second document begins here", 1 },
	{ "---\n---\n", "2:1", "a second document begins here", 1 },
	{ "%YAML 1.3\n---\na: 1\n", "1:1", "this version of YAML is not", 1 },
	{ "%YAML 1.2\na: 1\n", "2:1", "the configuration ends before this", 1 },
	{ "%FOO 1\n---\n", "1:1", "a line that begins with % is a directive", 1 },
	{ "a: b\nc: \xc3\xa9\xff\n", "2:5", "this byte, 0xff, is not UTF-8", 1 },
	{ "a: \xc3(\n", "1:4", "this byte, 0xc3, is not UTF-8", 1 },
	{ "a: \xed\xa0\x80\n", "1:4", "this byte, 0xed, is not UTF-8", 1 },
	{ "a: \x01\n", "1:4", "this is the control character U+0001; write "
	    "\"\\u0001\"", 1 },
	{ "a: \"\\0\"\n", "1:4", "a text has no NUL character", 1 },
	{ "? {a: b}\n: c\nd: e\n", "1:3", "a name should be a text", 1 },
	{ "[a]: b\n", "1:1", "a name should be a text", 1 },
	{ "<<: {a: b}\n", "1:1", "<< does not merge here", 1 },
	{ "a: {<<: *b}\n", "1:5", "<< does not merge here", 2 },
	{ "a: &a [*a]\n", "1:8", "this alias stands within what it names", 1 },
	{ "a: &a {b: {c: *a}}\n", "1:15", "this alias stands within what", 1 },
	{ "a: *b\n", "1:4", "no anchor above has this name", 1 },
	{ "a: *:80\n", "1:5", "* begins an alias; a text that begins with *", 1 },
	{ "a: &\n", "1:5", "& begins an anchor", 1 },
	{ "a b\n", "1:1", "no colon follows this; a directive is NAME: VALUE", 1 },
	{ "a: 1\nb\nc: 2\n", "2:1", "no colon follows this", 1 },
	{ "- a\n", "1:1", "a configuration is a map of directives", 1 },
	{ "a: b: c\n", "1:5", SECOND, 1 }, { "a: 1\n  b: 2\n", "2:4", SECOND, 1 },
	{ "a: unix:\n", "1:8", SECOND, 1 },
	{ "a:\n  b: 1\n c: 2\n", "3:2", "this is indented otherwise than", 1 },
	{ "a:\n  - b\n  c: 2\n", "3:3", "this is no item of the list before", 1 },
	{ "a: - b\n", "1:4", "an item of a list, - VALUE, begins a line", 1 },
	{ "a: {b: :80}\n", "1:8", COLON, 1 }, { "a: [:80]\n", "1:5", COLON, 1 },
	{ "a: [b, :80]\n", "1:8", COLON, 1 }, { "a: [::1]:80\n", "1:5", COLON, 1 },
	{ "a: [unix:, b]\n", "1:9", "within [ ] and { } a text that ends", 1 },
	{ "a: [\n", "2:1", "a value should be here, or the end of what [", 1 },
	{ "a: {b: c\n", "2:1", "a , or a } should be here", 1 },
	{ "a: [b c: d e]\n", NULL, NULL, 0 },
	{ "a: [b\nc: d\n", "2:2", "a , or a ] should be here", 1 },
	{ "a: [b] c\n", "1:8", "", 1 },
	{ "a: \"b\nc: d\n", "1:4", "the text that begins here has no end", 1 },
	{ "a: 'b\nc: 'd'\n", "1:4", "the text that begins here has no end", 1 },
	{ "a: {b: \"c, d: e,\n f: \"g\"}\n", "1:8", "the text that begins here", 1 },
	{ "a: \"\\d\"\n", "1:4", "this escape is not known", 1 },
	{ "a: %b\n", "1:4", "a text that begins with %, @ or `", 1 },
	{ "a: @b\n", "1:4", "a text that begins with %, @ or `", 1 },
	{ "{a: 1} b\n", "1:8", "the configuration ends before this", 1 },
	{ "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "1:35",
	    "this is nested too deep", 1 },
	{ ": b\n", "1:1", "the name before the colon is missing", 1 },
};

TEST(wrong)
{
	char place[40];
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		parse(wrong[i].text, strlen(wrong[i].text));
		if (diagnostics.all != wrong[i].n)
			fail_msg("%s: %zu diagnostics: %s", wrong[i].text,
			    diagnostics.all, diagnostics.n == 0 ? "" :
			    diagnostics.line[0]);
		if (wrong[i].n == 0)
			continue;
		snprintf(place, sizeof(place), "/f:%s: ", wrong[i].place);
		if (strncmp(diagnostics.line[0], place, strlen(place)) != 0 ||
		    strncmp(diagnostics.line[0] + strlen(place), wrong[i].why,
		    strlen(wrong[i].why)) != 0)
			fail_msg("%s: %s", wrong[i].text, diagnostics.line[0]);
	}
	parse("a: b\0c\n", 7);
	assert_int_equal(diagnostics.all, 1);
	assert_string_equal(diagnostics.line[0], "/f:1:5: this is a NUL byte: "
	    "the file is no text");
}

/* What comes before a syntax error, but for the pair next to it. */
TEST(what_is_left)
{
	static const char text[] = "a: 1\nb: {c: d}\ne: f\n  g: h\n";
	char got[100] = "";

	parse(text, strlen(text));
	put(tree.root, got, sizeof(got));
	assert_string_equal(got, "{'a':'1','b':{'c':'d'}}");
	assert_false(tree.whole);
	assert_int_equal(diagnostics.all, 1);
}

/* No text of a size that a file may have takes longer than it is long. */
TEST(bounds)
{
	static char text[3000000];
	size_t i, at = 0;

	for (i = 0; i < 1001; i++)
		at += (size_t)sprintf(text + at, "a%zu: &a%zu 1\n", i, i);
	parse(text, at);
	assert_int_equal(diagnostics.all, 1);
	assert_string_equal(diagnostics.line[0], "/f:1001:8: there are more "
	    "than 1000 anchors");
	/* Each level is ten of the one before. */
	at = (size_t)sprintf(text, "a0: &a0 x\n");
	for (i = 1; i < 30; i++)
		at += (size_t)sprintf(text + at, "a%zu: &a%zu [*a%zu, *a%zu, "
		    "*a%zu, *a%zu, *a%zu, *a%zu, *a%zu, *a%zu, *a%zu, *a%zu]\n",
		    i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
		    i - 1, i - 1, i - 1);
	parse(text, at);
	assert_int_equal(diagnostics.all, 0);
	assert_int_equal(tree.root->n, 30);
	/* All names of a big map are compared, and few of them with each. */
	for (i = at = 0; i < 200000; i++)
		at += (size_t)sprintf(text + at, "n%zu:\n", i * 7919 % 199999);
	parse(text, at);
	assert_int_equal(diagnostics.all, 1);
	assert_string_equal(diagnostics.line[0], "/f:200000:1: n0 stands in "
	    "this section already, at /f:1; remove one of them");
	memset(text, '[', sizeof(text));
	parse(text, sizeof(text));
	assert_int_equal(diagnostics.all, 1);
}
