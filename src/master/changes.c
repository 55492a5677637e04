/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * changes.c: compares two configurations by the settings and by their meaning
 * when they were read: networks in files, addresses of names. Sections of the
 * same kind and name correspond; one has changed if any of its values has. An
 * inventory is sorted, so that thousands of servers are compared in one pass.
 */
#include "config.h"
#include "master/changes.h"

#include <sys/mman.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/networks.h"
#include "config/settings.h"
#include "util/text.h"

#define VARIABLE	"SHUTTLED_INVENTORY"

/* Bytes of a list of names; what does not fit is only counted. */
#define NAMES		300

/* Prefix of the name of a limit, which is listed among the settings. */
#define LIMIT_PREFIX	"limit "

enum item_kind { ITEM_SETTINGS, ITEM_LISTENER, ITEM_POOL, ITEM_SERVER, ITEMS };

struct item {
	enum item_kind	 kind;
	char		 name[BOARD_NAME];
	uint64_t	 hash;		/* of its values, in any order */
};

struct inventory {
	struct item	*item;		/* by kind and name */
	size_t		 items;
};

/* Names of one kind with the same result. */
struct names {
	char		 text[NAMES];
	size_t		 n, left_out;
};

enum fate { ADDED, REMOVED, CHANGED, FATES };

static const char *const kind_words[ITEMS] = {
	[ITEM_SETTINGS] = "settings", [ITEM_LISTENER] = "listeners",
	[ITEM_POOL] = "pools", [ITEM_SERVER] = "servers"
};
static const char *const fate_words[FATES] = { "added", "removed", "changed" };

/* --- inventories ------------------------------------------------------------ */

/* The host without the port, which is configured or any. */
static uint64_t
hash_host(const struct addr *a)
{
	char host[ADDR_TEXT];
	struct text t = { host, host + sizeof(host) - 1 };
	struct endpoint e;

	if (a->len == 0 || addr_is_unix(a))
		return 0;
	endpoint_set(&e, a);
	endpoint_put_ip(&t, &e);
	*t.at = '\0';
	return board_hash(host);
}

/* The address of the host of this log. */
static uint64_t
hash_log(const struct conf *c, const char *target)
{
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		if (strcmp(c->own_log[i].target, target) == 0)
			return hash_host(&c->own_log[i].addr);
	return strcmp(c->log, target) == 0 ? hash_host(&c->log_addr) : 0;
}

/* The text of the value, and its meaning when it was read. */
static uint64_t
hash_value(const struct conf *c, const struct value *v)
{
	uint64_t hash = board_hash(v->directive->name);
	size_t i;

	for (i = 0; i < v->n; i++)
		hash = hash * 31 + board_hash(v->text[i]);
	if (v->n > 0 && strcmp(v->directive->name, "log") == 0)
		hash += hash_log(c, v->text[0]);
	return hash + networks_hash(c, v);
}

/* Independent of order: directives and answers have none. */
static uint64_t
hash_section(const struct conf *c, const struct section *s)
{
	uint64_t hash = 0;
	size_t i;

	for (i = 0; i < s->values; i++)
		hash += hash_value(c, &s->value[i]);
	for (i = 0; i < s->servers; i++)
		hash += hash_host(&c->server[s->first + i].addr);
	for (i = 0; i < s->listeners; i++)
		hash += hash_host(&c->listener[s->first_listener + i].addr);
	if (s->servers > 0)
		hash += 3 * hash_host(&c->server[s->first].check_addr);
	return hash;
}

/* The name in the file; with options, a server may have only an address. */
static void
name_server(char name[BOARD_NAME], const struct section *s)
{
	const struct value *v = section_get(s,
	    directive_find(SECTION_SERVER, "address"));

	if (s->place.file != NULL)
		snprintf(name, BOARD_NAME, "%s/%s", s->pool->name, s->name);
	else
		strlcpy(name, s->name[0] == '\0' && v != NULL && v->n > 0 ?
		    v->text[0] : s->name, BOARD_NAME);
}

static void
read_item(struct item *it, const struct conf *c, const struct section *s)
{
	it->kind = s->kind == SECTION_LISTEN ? ITEM_LISTENER :
	    s->kind == SECTION_POOL ? ITEM_POOL :
	    s->kind == SECTION_SERVER ? ITEM_SERVER : ITEM_SETTINGS;
	if (it->kind == ITEM_SERVER)
		name_server(it->name, s);
	else if (s->kind == SECTION_LIMIT)
		snprintf(it->name, sizeof(it->name), LIMIT_PREFIX "%s",
		    s->name);
	else
		strlcpy(it->name, s->name, sizeof(it->name));
	it->hash = hash_section(c, s);
}

/* Each top-level directive is an item; one of an option wins. */
static void
read_top(struct inventory *v, const struct conf *c, const struct section *s,
    const struct section *wins)
{
	struct item *it;
	size_t i;

	for (i = 0; i < s->values; i++) {
		if (wins != NULL && section_get(wins,
		    s->value[i].directive) != NULL)
			continue;
		it = &v->item[v->items++];
		it->kind = ITEM_SETTINGS;
		strlcpy(it->name, s->value[i].directive->name,
		    sizeof(it->name));
		it->hash = hash_value(c, &s->value[i]);
	}
}

/* The file that lists the name servers of the system, if they are used. */
static void
hash_resolver_files(struct inventory *v, const struct conf *c)
{
	struct item *it;

	if (c->system_resolvers == 0)
		return;
	it = &v->item[v->items++];
	it->kind = ITEM_SETTINGS;
	strlcpy(it->name, "resolv.conf", sizeof(it->name));
	it->hash = c->system_resolvers;
}

static int
compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->kind != y->kind ? (int)x->kind - (int)y->kind :
	    strcmp(x->name, y->name);
}

static struct inventory *
new_inventory(size_t items)
{
	struct inventory *v = calloc(1, sizeof(*v));

	if (v == NULL || (v->item = calloc(items + 1,
	    sizeof(*v->item))) == NULL) {
		free(v);
		return NULL;
	}
	return v;
}

struct inventory *
inventory_new(const struct conf *c)
{
	const struct settings *st = c->settings;
	const struct section *options = st->section[SETTINGS_OPTIONS];
	const struct section *files = st->section[SETTINGS_FILES];
	struct inventory *v;
	size_t i;

	if ((v = new_inventory(st->sections + options->values +
	    files->values + 1)) == NULL)
		return NULL;
	read_top(v, c, options, NULL);
	read_top(v, c, files, options);
	hash_resolver_files(v, c);
	for (i = 0; i < st->sections; i++)
		if (st->section[i]->kind != SECTION_TOP)
			read_item(&v->item[v->items++], c, st->section[i]);
	qsort(v->item, v->items, sizeof(*v->item), compare_items);
	return v;
}

void
inventory_free(struct inventory *v)
{
	if (v != NULL)
		free(v->item);
	free(v);
}

/* --- across an upgrade ------------------------------------------------------ */

/* For the log only: without memory there is none. */
void
inventory_leave(const struct conf *c)
{
	struct inventory *v = inventory_new(c);
	char text[16];
	FILE *f;
	size_t i;
	int fd;

	if (v == NULL || (fd = memfd_create("inventory", 0)) == -1)
		goto done;
	if ((f = fdopen(dup(fd), "w")) != NULL) {
		for (i = 0; i < v->items; i++)
			fprintf(f, "%d %016llx %s\n", (int)v->item[i].kind,
			    (unsigned long long)v->item[i].hash,
			    v->item[i].name);
		fclose(f);
	}
	snprintf(text, sizeof(text), "%d", fd);
	(void)setenv(VARIABLE, text, 1);
done:
	inventory_free(v);
}

static struct inventory *
read_inventory(FILE *f)
{
	struct inventory *v;
	unsigned long long hash;
	char line[BOARD_NAME + 64];
	struct item it;
	size_t n = 0;
	int kind, at;

	while (fgets(line, sizeof(line), f) != NULL)
		n++;
	if ((v = new_inventory(n)) == NULL)
		return NULL;
	rewind(f);
	while (v->items < n && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%d %llx %n", &kind, &hash, &at) != 2 ||
		    kind < 0 || kind >= ITEMS || strlcpy(it.name, line + at,
		    sizeof(it.name)) >= sizeof(it.name))
			continue;
		it.kind = (enum item_kind)kind;
		it.hash = hash;
		v->item[v->items++] = it;
	}
	qsort(v->item, v->items, sizeof(*v->item), compare_items);
	return v;
}

struct inventory *
inventory_inherit(void)
{
	const char *text = getenv(VARIABLE), *why;
	struct inventory *v = NULL;
	FILE *f;
	int fd;

	if (text == NULL)
		return NULL;
	fd = (int)strtonum(text, STDERR_FILENO + 1, INT_MAX, &why);
	unsetenv(VARIABLE);
	if (why != NULL || lseek(fd, 0, SEEK_SET) == -1 ||
	    (f = fdopen(fd, "r")) == NULL)
		return NULL;
	v = read_inventory(f);
	fclose(f);
	return v;
}

/* --- the line --------------------------------------------------------------- */

static void
add_changed_name(struct names *ns, const char *name)
{
	size_t used = strlen(ns->text);

	if (ns->left_out > 0 || used + strlen(name) + 2 >= sizeof(ns->text))
		ns->left_out++;
	else
		snprintf(ns->text + used, sizeof(ns->text) - used, "%s%s",
		    ns->n == 0 ? "" : ", ", name);
	ns->n++;
}

/* A removed directive has its default again: it has changed. */
static enum fate
fate_of(const struct item *it, enum fate fate)
{
	return it->kind == ITEM_SETTINGS && strncmp(it->name, LIMIT_PREFIX,
	    strlen(LIMIT_PREFIX)) != 0 ? CHANGED : fate;
}

/* Both are sorted: the smaller one of two that differ has no partner. */
static void
compare_inventories(struct names ns[ITEMS][FATES], const struct inventory *old,
    const struct inventory *new)
{
	const struct item *a = old->item, *a_end = a + old->items;
	const struct item *b = new->item, *b_end = b + new->items;
	int order;

	while (a < a_end || b < b_end) {
		order = a == a_end ? 1 : b == b_end ? -1 : compare_items(a, b);
		if (order < 0)
			add_changed_name(&ns[a->kind][fate_of(a, REMOVED)],
			    a->name);
		else if (order > 0)
			add_changed_name(&ns[b->kind][fate_of(b, ADDED)],
			    b->name);
		else if (a->hash != b->hash)
			add_changed_name(&ns[b->kind][CHANGED], b->name);
		a += order <= 0;
		b += order >= 0;
	}
}

/*
 * True if the server is in drain and has no session, at any of its addresses.
 */
static bool
is_drained(const struct conf *c, const struct section *s,
    const struct board *b)
{
	size_t i;

	for (i = s->first; i < s->first + s->servers; i++)
		if (c->server[i].state != SERVER_DRAIN ||
		    board_server_live(b, c->server[i].slot) != 0)
			return false;
	return s->kind == SECTION_SERVER && s->servers > 0;
}

static void
find_empty(struct names *ns, const struct conf *c, const struct board *b)
{
	const struct settings *st = c->settings;
	char name[BOARD_NAME];
	size_t i;

	for (i = 0; i < st->sections; i++)
		if (is_drained(c, st->section[i], b)) {
			name_server(name, st->section[i]);
			add_changed_name(ns, name);
		}
}

static void
put_names(FILE *f, const char *what, const char *fate, const struct names *ns)
{
	if (ns->n == 0)
		return;
	fprintf(f, "; %s %s: %s", what, fate, ns->text);
	if (ns->left_out > 0)
		fprintf(f, " and %zu more", ns->left_out);
}

static void
put_changes(FILE *f, struct names ns[ITEMS][FATES])
{
	int kind, fate, any = 0;

	for (kind = 0; kind < ITEMS; kind++)
		for (fate = 0; fate < FATES; fate++) {
			put_names(f, kind_words[kind], fate_words[fate],
			    &ns[kind][fate]);
			any += ns[kind][fate].n > 0;
		}
	if (!any)
		fprintf(f, "; nothing changed");
}

static void
put_files(FILE *f, const struct settings *st)
{
	size_t i;

	for (i = 0; i < st->files; i++)
		fprintf(f, "%s%s", i == 0 ? "" : ", ", st->file[i]);
	if (st->files == 0)
		fprintf(f, "options");
}

/* Counts as configured, with any number of addresses each. */
static void
put_change_counts(FILE *f, const struct settings *st)
{
	size_t listeners = settings_count(st, SECTION_LISTEN);
	size_t pools = settings_count(st, SECTION_POOL);
	size_t servers = settings_count(st, SECTION_SERVER);

	fprintf(f, "; %zu listener%s, %zu pool%s, %zu server%s", listeners,
	    text_s(listeners), pools, text_s(pools), servers,
	    text_s(servers));
}

/* The contents of the line, as fields and as text. */
struct report {
	struct names	 ns[ITEMS][FATES], empty;
	char		 fields[ITEMS][FATES][24];
	char		 files[NAMES], generation[16], words[1500];
};

static void
write_report(struct log *log, const char *cause, struct report *r)
{
	struct log_field f[8 + ITEMS * FATES] = {
		{ "event", "configuration" }, { "cause", cause },
		{ "version", PACKAGE_VERSION }, { "files", r->files },
		{ LOG_NUMBER "generation", r->generation }
	};
	int kind, fate, n = 5;

	for (kind = 0; kind < ITEMS; kind++)
		for (fate = 0; fate < FATES; fate++) {
			if (r->ns[kind][fate].n == 0)
				continue;
			snprintf(r->fields[kind][fate],
			    sizeof(r->fields[kind][fate]), "%s_%s",
			    kind_words[kind], fate_words[fate]);
			f[n].name = r->fields[kind][fate];
			f[n++].value = r->ns[kind][fate].text;
		}
	if (r->empty.n > 0) {
		f[n].name = "servers_empty";
		f[n++].value = r->empty.text;
	}
	f[n].name = NULL;
	log_event(log, LOG_NOTICE, f, "configuration: shuttled "
	    PACKAGE_VERSION ", %s, generation %s, %s%s", cause, r->generation,
	    r->files, r->words);
}

void
changes_log(struct log *log, const char *cause, const struct conf *c,
    const struct board *board, uint32_t generation,
    const struct inventory *before)
{
	struct inventory *now = inventory_new(c);
	struct report *r = calloc(1, sizeof(*r));
	FILE *words = NULL, *files = NULL;

	if (now == NULL || r == NULL ||
	    (words = fmemopen(r->words, sizeof(r->words), "w")) == NULL ||
	    (files = fmemopen(r->files, sizeof(r->files), "w")) == NULL)
		goto done;
	snprintf(r->generation, sizeof(r->generation), "%u", generation);
	put_files(files, c->settings);
	if (before != NULL) {
		compare_inventories(r->ns, before, now);
		put_changes(words, r->ns);
	} else
		put_change_counts(words, c->settings);
	find_empty(&r->empty, c, board);
	put_names(words, "servers drained and", "empty", &r->empty);
	fclose(words);
	fclose(files);
	words = files = NULL;
	write_report(log, cause, r);
done:
	if (words != NULL)
		fclose(words);
	inventory_free(now);
	free(r);
}

void
changes_log_reload(struct log *log, const struct conf *now,
    const struct board *board, uint32_t generation, const struct conf *before)
{
	struct inventory *v = inventory_new(before);

	if (v != NULL)
		changes_log(log, "reload", now, board, generation, v);
	inventory_free(v);
}
