/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_yaml.c: builds the tree from the events of libyaml, and rejects what a
 * configuration does not use: tags, merge keys, names that are not texts, a
 * second document. Depth, nodes and anchors are bounded, so the time is
 * proportional to the length of the text.
 */
#include "config/conf_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "config/conf_yaml_error.h"
#include "config/settings.h"

#define DEPTH		32
#define NODES		4000000
#define ANCHORS		1000

struct anchor {
	char		*name;
	struct yaml_node *node;
};

struct reader {
	yaml_parser_t	 parser;
	struct conf_yaml *tree;
	struct diagnostics *diagnostics;
	const char	*file;
	const char	*text;		/* without a byte order mark */
	size_t		 len;
	/*
	 * The last quoted text of several lines: a missing quote may have begun
	 * there.
	 */
	yaml_mark_t	 broken, broken_end;
	size_t		 nodes;
	struct anchor	 anchor[ANCHORS]; /* sorted by name */
	size_t		 anchors;
};

static struct yaml_node *read_node(struct reader *, const yaml_event_t *,
		    unsigned depth);

static void
reject_line(const struct reader *r, unsigned line, unsigned column,
    const char *what)
{
	struct place place = { .file = r->file, .line = line,
	    .column = column };

	diagnostics_add_at(r->diagnostics, &place, "%s", what);
}

/* Parsing cannot continue. */
static void
stop_parsing(struct reader *r, const yaml_mark_t *mark, const char *what)
{
	r->tree->whole = false;
	reject_line(r, (unsigned)mark->line + 1, (unsigned)mark->column + 1,
	    what);
}

/* False: the event is missing, and that was reported. */
static bool
next_event(struct reader *r, yaml_event_t *e)
{
	struct conf_yaml_error error;

	if (yaml_parser_parse(&r->parser, e) == 1)
		return true;
	if (r->broken_end.line > 0 && r->parser.error == YAML_PARSER_ERROR &&
	    r->parser.problem_mark.line == r->broken_end.line) {
		stop_parsing(r, &r->broken, CONF_YAML_QUOTE);
		return false;
	}
	conf_yaml_explain(&r->parser, r->text, r->len, &error);
	r->tree->whole = false;
	reject_line(r, error.line, error.column, error.what);
	return false;
}

/* The position of this anchor in the list, or where to insert it. */
static size_t
find_anchor(const struct reader *r, const char *name, bool *found)
{
	size_t low = 0, high = r->anchors, middle;
	int order;

	*found = false;
	while (low < high) {
		middle = (low + high) / 2;
		order = strcmp(name, r->anchor[middle].name);
		*found = order == 0;
		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* From here on the alias stands for the node. 0, or -1: reported. */
static int
add_anchor(struct reader *r, const yaml_event_t *e, const yaml_char_t *name,
    struct yaml_node *node)
{
	bool found;
	size_t at;
	char *copy;

	if (name == NULL)
		return 0;
	at = find_anchor(r, (const char *)name, &found);
	if (found) {
		r->anchor[at].node = node;
		return 0;
	}
	if (r->anchors == ANCHORS) {
		stop_parsing(r, &e->start_mark, "there are more than 1000 "
		    "anchors");
		return -1;
	}
	if ((copy = strdup((const char *)name)) == NULL) {
		stop_parsing(r, &e->start_mark, strerror(errno));
		return -1;
	}
	memmove(&r->anchor[at + 1], &r->anchor[at],
	    (r->anchors - at) * sizeof(*r->anchor));
	r->anchor[at] = (struct anchor){ copy, node };
	r->anchors++;
	return 0;
}

static struct yaml_node *
new_node(struct reader *r, const yaml_event_t *e, enum yaml_kind kind)
{
	struct yaml_node *node;

	if (r->nodes == NODES) {
		stop_parsing(r, &e->start_mark, "this has more than 4000000 "
		    "values");
		return NULL;
	}
	if ((node = calloc(1, sizeof(*node))) == NULL) {
		stop_parsing(r, &e->start_mark, strerror(errno));
		return NULL;
	}
	r->nodes++;
	node->kind = kind;
	node->line = (unsigned)e->start_mark.line + 1;
	node->column = (unsigned)e->start_mark.column + 1;
	node->next = r->tree->nodes;
	r->tree->nodes = node;
	return node;
}

static void
reject_node(struct reader *r, struct yaml_node *node, const char *what)
{
	if (!node->bad)
		reject_line(r, node->line, node->column, what);
	node->bad = true;
}

static void
reject_tag(struct reader *r, struct yaml_node *node, const yaml_char_t *tag)
{
	if (tag != NULL)
		reject_node(r, node, CONF_YAML_TAG);
}

/*
 * Appends an item or a pair. Lists grow in powers of two. 0, or -1: reported.
 */
static int
add_items(struct reader *r, const yaml_event_t *e, struct yaml_node *to,
    struct yaml_node *one, struct yaml_node *two)
{
	size_t each = two == NULL ? 1 : 2, n = to->n;
	struct yaml_node **grown;

	if ((n & (n - 1)) == 0) {
		grown = reallocarray(to->item, n == 0 ? 1 : 2 * n,
		    each * sizeof(*grown));
		if (grown == NULL) {
			stop_parsing(r, &e->start_mark, strerror(errno));
			return -1;
		}
		to->item = grown;
	}
	to->item[each * n] = one;
	if (two != NULL)
		to->item[each * n + 1] = two;
	to->n++;
	return 0;
}

static struct yaml_node *
read_scalar_text(struct reader *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	struct yaml_node *node = new_node(r, e, YAML_TEXT);

	if (node == NULL ||
	    add_anchor(r, e, e->data.scalar.anchor, node) == -1)
		return NULL;
	if ((node->text = strdup(text)) == NULL) {
		stop_parsing(r, &e->start_mark, strerror(errno));
		return NULL;
	}
	if (e->start_mark.line != e->end_mark.line &&
	    (e->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
	    e->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)) {
		r->broken = e->start_mark;
		r->broken_end = e->end_mark;
	}
	reject_tag(r, node, e->data.scalar.tag);
	if (strlen(text) != e->data.scalar.length)
		reject_node(r, node, "a text has no NUL character; remove \\0");
	return node;
}

static struct yaml_node *
read_alias(struct reader *r, const yaml_event_t *e)
{
	bool found;
	size_t at = find_anchor(r, (const char *)e->data.alias.anchor, &found);
	struct yaml_node *node;

	if (found && !r->anchor[at].node->open)
		return r->anchor[at].node;
	if ((node = new_node(r, e, YAML_TEXT)) == NULL)
		return NULL;
	if ((node->text = strdup("")) == NULL) {
		stop_parsing(r, &e->start_mark, strerror(errno));
		return NULL;
	}
	reject_node(r, node, found ? "this alias stands within what it names" :
	    "no anchor above has this name; a text that begins with * stands "
	    "in quotes");
	return node;
}

static struct yaml_node *
read_sequence(struct reader *r, const yaml_event_t *start, unsigned depth)
{
	struct yaml_node *list = new_node(r, start, YAML_LIST), *item;
	yaml_event_t e;
	int added;

	if (list == NULL || add_anchor(r, start,
	    start->data.sequence_start.anchor, list) == -1)
		return NULL;
	reject_tag(r, list, start->data.sequence_start.tag);
	list->open = true;
	while (next_event(r, &e)) {
		if (e.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&e);
			list->open = false;
			return list;
		}
		item = read_node(r, &e, depth);
		added = item == NULL ? -1 : add_items(r, &e, list, item, NULL);
		yaml_event_delete(&e);
		if (added == -1)
			return NULL;
	}
	return NULL;
}

/* True if it can be a name. Errors are reported. */
static bool
is_name(struct reader *r, struct yaml_node *name, const yaml_event_t *e,
    const struct yaml_node *value)
{
	if (name->bad)
		return false;
	if (name->kind != YAML_TEXT)
		reject_node(r, name, "a name should be a text");
	else if (name->text[0] == '\0' && value->kind == YAML_TEXT &&
	    name->column + 1 == value->column)
		reject_node(r, name, CONF_YAML_COLON);
	else if (name->text[0] == '\0')
		reject_node(r, name, "the name before the colon is missing");
	else if (strcmp(name->text, "<<") == 0 && e->type ==
	    YAML_SCALAR_EVENT && e->data.scalar.plain_implicit)
		reject_node(r, name, "<< does not merge here: write the "
		    "directives out, or use an alias for a whole section");
	return !name->bad;
}

/* 1: the map has ended, 0: it continues, -1: parsing cannot continue. */
static int
read_pair(struct reader *r, struct yaml_node *map, unsigned depth)
{
	yaml_event_t e, v;
	struct yaml_node *name, *value = NULL;
	int status = -1;

	if (!next_event(r, &e))
		return -1;
	if (e.type == YAML_MAPPING_END_EVENT) {
		yaml_event_delete(&e);
		return 1;
	}
	name = read_node(r, &e, depth);
	if (name != NULL && next_event(r, &v)) {
		value = read_node(r, &v, depth);
		yaml_event_delete(&v);
	}
	if (value != NULL && is_name(r, name, &e, value))
		status = add_items(r, &e, map, name, value);
	else if (value != NULL) {
		map->lacks = true;
		r->tree->whole = false;
		status = 0;
	}
	yaml_event_delete(&e);
	return status;
}

struct pair {
	struct yaml_node *name, *value;
};

/* Compares by name, equal ones by position. */
static int
compare_keys(const void *a, const void *b)
{
	const struct yaml_node *x = (*(struct pair *const *)a)->name;
	const struct yaml_node *y = (*(struct pair *const *)b)->name;
	int order = strcmp(x->text, y->text);

	if (order != 0)
		return order;
	return (*(struct pair *const *)a > *(struct pair *const *)b) -
	    (*(struct pair *const *)a < *(struct pair *const *)b);
}

static void
reject_twin(struct reader *r, struct yaml_node *name,
    const struct yaml_node *first)
{
	char what[600], where[300], shown[200];
	struct place place = { .file = r->file, .line = first->line };

	snprintf(what, sizeof(what), "%s stands in this section already, at "
	    "%s; remove one of them", quote_name(name->text, shown,
	    sizeof(shown)), place_format(&place, where, sizeof(where)));
	reject_node(r, name, what);
}

/* Reports and drops all but the first of equal names. */
static void
remove_twins(struct reader *r, const yaml_event_t *e, struct yaml_node *map)
{
	struct pair *pair = (struct pair *)map->item, **sorted;
	size_t i, kept, first = 0;

	if (map->n < 2)
		return;
	if ((sorted = calloc(map->n, sizeof(struct pair *))) == NULL) {
		stop_parsing(r, &e->start_mark, strerror(errno));
		return;
	}
	for (i = 0; i < map->n; i++)
		sorted[i] = &pair[i];
	qsort(sorted, map->n, sizeof(struct pair *), compare_keys);
	for (i = 1; i < map->n; i++)
		if (strcmp(sorted[first]->name->text,
		    sorted[i]->name->text) == 0) {
			reject_twin(r, sorted[i]->name,
			    sorted[first]->name);
			sorted[i]->value = NULL;
			r->tree->whole = false;
		} else
			first = i;
	free(sorted);
	for (i = kept = 0; i < map->n; i++)
		if (pair[i].value != NULL)
			pair[kept++] = pair[i];
	map->n = kept;
}

static struct yaml_node *
read_map(struct reader *r, const yaml_event_t *start, unsigned depth)
{
	struct yaml_node *map = new_node(r, start, YAML_MAP);
	int status;

	if (map == NULL || add_anchor(r, start,
	    start->data.mapping_start.anchor, map) == -1)
		return NULL;
	if (depth == 1)
		r->tree->root = map;
	reject_tag(r, map, start->data.mapping_start.tag);
	map->open = true;
	while ((status = read_pair(r, map, depth)) == 0)
		continue;
	map->open = false;
	/* The mistake may be before the place where it was found. */
	if (status == -1 && map->n > 0)
		map->n--;
	remove_twins(r, start, map);
	return status == 1 ? map : NULL;
}

/* The node that begins with this event. NULL: parsing cannot continue. */
static struct yaml_node *
read_node(struct reader *r, const yaml_event_t *e, unsigned depth)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar_text(r, e);
	case YAML_ALIAS_EVENT:
		return read_alias(r, e);
	default:
		break;
	}
	if (depth == DEPTH) {
		stop_parsing(r, &e->start_mark, "this is nested too deep");
		return NULL;
	}
	return e->type == YAML_SEQUENCE_START_EVENT ?
	    read_sequence(r, e, depth + 1) : read_map(r, e, depth + 1);
}

/* The next event, of which only type and place are used. */
static yaml_event_type_t
skip_event(struct reader *r, yaml_mark_t *mark)
{
	yaml_event_t e;
	yaml_event_type_t type;

	if (!next_event(r, &e))
		return YAML_NO_EVENT;
	type = e.type;
	*mark = e.start_mark;
	yaml_event_delete(&e);
	return type;
}

/* Parses one document of one map or of nothing. */
static void
read_document(struct reader *r)
{
	struct yaml_node *root;
	yaml_mark_t mark;
	yaml_event_t e;

	if (skip_event(r, &mark) != YAML_STREAM_START_EVENT ||
	    skip_event(r, &mark) != YAML_DOCUMENT_START_EVENT ||
	    !next_event(r, &e))
		return;
	root = read_node(r, &e, 0);
	yaml_event_delete(&e);
	if (root == NULL)
		return;
	if (root->kind == YAML_MAP)
		r->tree->root = root;
	else if (root->kind == YAML_LIST || root->text[0] != '\0') {
		r->tree->whole = false;
		reject_node(r, root, root->kind == YAML_TEXT ? CONF_YAML_NAME :
		    "a configuration is a map of directives and sections, "
		    "NAME: VALUE");
		return;
	}
	if (skip_event(r, &mark) == YAML_DOCUMENT_END_EVENT &&
	    skip_event(r, &mark) == YAML_DOCUMENT_START_EVENT)
		stop_parsing(r, &mark, "a second document begins here; a file "
		    "is one, remove the --- or write two files");
}

void
conf_yaml_parse(struct conf_yaml *tree, const char *text, size_t len,
    const char *file, struct diagnostics *cs)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct reader *r;
	struct place place = { .file = file };
	size_t i;

	memset(tree, 0, sizeof(*tree));
	if ((r = calloc(1, sizeof(*r))) == NULL ||
	    yaml_parser_initialize(&r->parser) == 0) {
		diagnostics_add_at(cs, &place, "%s", strerror(ENOMEM));
		free(r);
		return;
	}
	if (len >= 3 && memcmp(text, mark, 3) == 0) {
		text += 3;
		len -= 3;
	}
	r->tree = tree;
	r->diagnostics = cs;
	r->file = file;
	r->text = text;
	r->len = len;
	tree->whole = true;
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)text,
	    len);
	read_document(r);
	yaml_parser_delete(&r->parser);
	for (i = 0; i < r->anchors; i++)
		free(r->anchor[i].name);
	free(r);
}

void
conf_yaml_free(struct conf_yaml *tree)
{
	struct yaml_node *node, *next;

	for (node = tree->nodes; node != NULL; node = next) {
		next = node->next;
		free(node->text);
		free(node->item);
		free(node);
	}
	memset(tree, 0, sizeof(*tree));
}
