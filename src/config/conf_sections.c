/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_sections.c: walks the tree of a file. Knows sections, names and which
 * values are lists; the meaning of a text is left to directives and conf_make.
 */
#include "config/conf_sections.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "upstream/server.h"
#include "config/conf.h"
#include "util/nearest.h"

/* Two of them form the name of a server on the board, with room for "#16". */
_Static_assert(2 * SETTINGS_NAME_IN_FILE + sizeof("/#16") <= SERVER_NAME,
    "no room on the board");

#define PATH_BYTES	4096
#define INCLUDE		"include"

/* Maximum of each kind in a configuration. */
static const struct {
	size_t		 most;
	const char	*what;
} bounds[SECTIONS] = {
	[SECTION_LISTEN] = { CONF_LISTENERS, "listeners" },
	[SECTION_POOL] = { CONF_POOLS, "pools" },
	[SECTION_SERVER] = { BOARD_SERVERS, "servers" },
	[SECTION_LIMIT] = { CONF_LIMITS, "limits" },
};

/* Sections in sections. */
static const struct {
	enum section_kind in, kind;
} nested[] = {
	{ SECTION_TOP, SECTION_LISTEN },
	{ SECTION_TOP, SECTION_POOL },
	{ SECTION_TOP, SECTION_LIMIT },
	{ SECTION_POOL, SECTION_SERVER },
};

#define NESTED	(sizeof(nested) / sizeof(*nested))

static struct place
place_of_node(const struct conf_reading *r, const struct yaml_node *node)
{
	return (struct place){ .file = r->file, .line = node->line,
	    .column = node->column };
}

void
conf_sections_reject(const struct conf_reading *r,
    const struct yaml_node *node, const char *fmt, ...)
{
	struct place place = place_of_node(r, node);
	char what[1000];
	va_list ap;

	if (node->bad)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	diagnostics_add_at(r->diagnostics, &place, "%s", what);
}

/* The name for a message; a valid one is short. */
static const char *
shown_name(const struct yaml_node *name, char buf[160])
{
	return quote_name(name->text, buf, 160);
}

/* True for an empty section. */
static bool
is_empty(const struct yaml_node *node)
{
	return node->kind == YAML_TEXT && node->text[0] == '\0';
}

/*
 * True if there is room for one more of at most *most*. If not, reports that.
 */
static bool
count_one(struct conf_reading *r, const struct yaml_node *node, size_t *n,
    size_t most, const char *what)
{
	if (*n > most)
		return false;
	if (++*n > most)
		conf_sections_reject(r, node, "there are more than %zu %s, "
		    "counting what aliases repeat", most, what);
	return *n <= most;
}

static bool
count_value(struct conf_reading *r, const struct yaml_node *node)
{
	return count_one(r, node, &r->bounds->values, CONF_VALUES_MOST,
	    "values");
}

/*
 * The name of a file of networks, made absolute in *buf*: it is relative to the
 * file that names it. So the output of -T has the same meaning anywhere.
 */
static const char *
whole_name(const struct conf_reading *r, const char *text, char *buf,
    size_t size)
{
	const char *kind = text[0] == '!' ? "!file:" : "file:";
	size_t n = strlen(kind);

	if (strncmp(text, kind, n) != 0 || text[n] == '/')
		return text;
	snprintf(buf, size, "%s%s/%s", kind, r->directory, text + n);
	return buf;
}

/* Text that ends in a colon without quotes is a name to YAML. */
static const char *
type_hint(const struct yaml_node *node)
{
	return node->kind == YAML_MAP && node->n == 1 &&
	    is_empty(node->item[1]) ?
	    "; a text that ends in a colon stands in quotes" : "";
}

static void
read_one(struct conf_reading *r, const struct yaml_node *node, struct value *v)
{
	const struct directive *d = v->directive;
	struct spot spot = { node->line, node->column };
	char takes[DIRECTIVE_WHY], name[2 * PATH_BYTES];
	const char *text = node->text;

	if (node->bad || !count_value(r, node))
		return;
	if (node->kind != YAML_TEXT) {
		conf_sections_reject(r, node, "%s: should be %s, but is a %s%s",
		    d->name, directive_takes(d, takes, sizeof(takes)),
		    node->kind == YAML_MAP ? "map" : "list", type_hint(node));
		return;
	}
	if (d->type == TYPE_NETWORKS)
		text = whole_name(r, text, name, sizeof(name));
	if (value_add_at(v, text, spot) == -1)
		diagnostics_add(r->diagnostics, "%s", strerror(errno));
}

static bool
takes_list(const struct directive *d)
{
	return d->type == TYPE_ADDRESSES || d->type == TYPE_NETWORKS;
}

static void
read_value(struct conf_reading *r, const struct yaml_node *name,
    const struct yaml_node *node, struct section *to, const struct directive *d)
{
	const struct value *old = section_get(to, d);
	struct place place = place_of_node(r, name);
	char where[PATH_BYTES];
	struct value *v;
	size_t i;

	if (old != NULL)
		conf_sections_reject(r, name, "%s is set at %s already; "
		    "remove one of them", d->name,
		    place_format(&old->place, where, sizeof(where)));
	else if ((v = section_set(to, d, &place)) == NULL)
		diagnostics_add(r->diagnostics, "%s", strerror(errno));
	else if (takes_list(d) && node->kind == YAML_LIST && node->n > 0)
		for (i = 0; i < node->n; i++)
			read_one(r, node->item[i], v);
	else
		read_one(r, node, v);
}

/* Names in HAProxy and nginx; NULL: no equivalent there. */
static const char *
as_others_say(const char *name, enum section_kind in)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "maxconn", "max_sessions" }, { "max_conns", "max_sessions" },
		{ "limit_conn", "max_sessions_per_client" },
		{ "src_conn_cur", "max_sessions_per_client" },
		{ "src_conn_rate", "session_rate_per_client" },
		{ "maxconnrate", "session_rate" }, { "rate-limit", "session_rate" },
		{ "limit_conn_dry_run", "dry_run" },
		{ "limit_req_dry_run", "dry_run" },
		{ "worker_connections", "sessions" },
		{ "inter", "interval" }, { "fastinter", "fast_interval" },
		{ "downinter", "down_interval" }, { "timeout", "check_timeout" },
		{ "down", "state" }, { "disabled", "state" },
		{ "bind", "address" }, { "default_backend", "pool" },
		{ "proxy_timeout", "idle_timeout" },
		{ "proxy_next_upstream_timeout", "connect_total_timeout" },
		{ "clitimeout", "client_idle_timeout" },
		{ "srvtimeout", "server_idle_timeout" },
		{ "proxy_connect_timeout", "connect_timeout" },
		{ "acl", "allow" }, { "client_acl", "allow" },
		{ "reject", "deny" }, { "silent-drop", "reject_with" },
		{ "proxy_download_rate", "download_rate" },
		{ "proxy_upload_rate", "upload_rate" },
		{ "max_downstream_connection_duration", "max_lifetime" },
		{ "proxy_bind", "source_address" }, { "usesrc", "transparent" },
		{ "quorum", "min_primaries" }, { "nbsrv", "min_primaries" },
		{ "so_keepalive", "keepalive" }, { "tcpka", "keepalive" },
		{ "clitcpka", "keepalive" }, { "srvtcpka", "keepalive" },
		{ "proxy_socket_keepalive", "keepalive" },
		{ "clitcpka-idle", "keepalive" },
		{ "srvtcpka-idle", "keepalive" },
		{ "tcp-ut", "user_timeout" },
		{ "tcp_user_timeout", "user_timeout" },
		{ "ipv6only", "v6only" }, { "tos", "dscp" },
		{ "worker_processes", "workers" }, { "nbproc", "workers" },
		{ "proxy_protocol", "accept_proxy" },
		{ "proxy_protocol", "send_proxy" },
		{ "set_real_ip_from", "accept_proxy" },
		{ "expect-proxy", "accept_proxy" },
		{ "proxy_protocol_timeout", "proxy_header_timeout" },
		{ "send-proxy-v2", "send_proxy" },
		{ "proxy-v2-options", "send_proxy_tlvs" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].theirs, name) == 0 &&
		    directive_find(in, words[i].ours) != NULL)
			return words[i].ours;
	return NULL;
}

/* A name that is unknown here: it may belong elsewhere, or be misspelt. */
static void
reject_name(struct conf_reading *r, const struct yaml_node *node,
    struct section *to)
{
	static const char *const homes[SECTIONS] = {
		"outside of all sections", "in a listener", "in a pool",
		"in a server of a pool", "in a limit"
	};
	const char *name = node->text, *near, *names[100], *home = NULL;
	enum section_kind in = to->kind;
	const struct directive *d;
	char shown[160];
	size_t i, all, n = 0;

	/* One diagnostic is enough; do not report as missing what was meant. */
	to->unknown = true;
	if (in == SECTION_TOP)
		names[n++] = INCLUDE;
	else if (strcmp(name, INCLUDE) == 0)
		home = homes[SECTION_TOP];
	for (i = 0; i < NESTED; i++)
		if (nested[i].in == in)
			names[n++] = section_word(nested[i].kind);
		else if (strcmp(section_word(nested[i].kind), name) == 0)
			home = homes[nested[i].in];
	for (d = directives(&all); all > 0; d++, all--)
		if (d->section == in && n < sizeof(names) / sizeof(*names))
			names[n++] = d->name;
		else if (strcmp(d->name, name) == 0)
			home = homes[d->section];
	if ((near = as_others_say(name, in)) == NULL)
		near = nearest_find(name, names, n);
	if (home != NULL)
		conf_sections_reject(r, node, "%s does not belong here, but %s",
		    name, home);
	else
		conf_sections_reject(r, node, "there is no directive %s%s%s",
		    shown_name(node, shown), near == NULL ?
		    "; see shuttled.yaml(5)" : ", perhaps ",
		    near == NULL ? "" : near);
}

static void	read_section_node(struct conf_reading *,
		    const struct yaml_node *, struct section *);

/* Creates a section, unless its name exists. False: reported. */
static bool
add_section(struct conf_reading *r, const struct yaml_node *node,
    const struct yaml_node *map, enum section_kind kind,
    const struct section *in)
{
	const char *name = node->text, *word = section_word(kind);
	struct place place = place_of_node(r, node);
	char where[PATH_BYTES], shown[160];
	const struct section *old;
	struct section *added;

	if (!section_name_fits(name)) {
		conf_sections_reject(r, node, "%s %s: a name has 1 to %d "
		    "letters, digits, -, _ and dots", word,
		    shown_name(node, shown), SETTINGS_NAME_IN_FILE);
		return false;
	}
	/* The servers of one pool are in one map, whose names differ. */
	if (kind != SECTION_SERVER &&
	    (old = settings_find(r->settings, kind, name)) != NULL) {
		conf_sections_reject(r, node, "%s %s is at %s already; "
		    "rename or remove one of them", word, name,
		    place_format(&old->place, where, sizeof(where)));
		return false;
	}
	if (!count_one(r, node, &r->bounds->sections[kind], bounds[kind].most,
	    bounds[kind].what))
		return false;
	if ((added = settings_add(r->settings, kind, name, &place)) == NULL) {
		diagnostics_add(r->diagnostics, "%s", strerror(errno));
		return false;
	}
	added->pool = in;
	read_section_node(r, map, added);
	return true;
}

/*
 * listen, pool, server: a map of named sections. False: one of them was
 * reported as wrong, so none is reported as missing.
 */
static bool
read_sections(struct conf_reading *r, const struct yaml_node *node,
    enum section_kind kind, const struct section *in)
{
	const char *word = section_word(kind);
	const struct yaml_node *name, *one;
	bool good = !node->lacks;
	char shown[160];
	size_t i;

	if (node->kind != YAML_MAP) {
		if (is_empty(node) && !node->bad)
			return true;
		conf_sections_reject(r, node, "%s: should be a map of names, "
		    "%s: { NAME: { … } }", word, word);
		return false;
	}
	for (i = 0; i < node->n; i++) {
		name = node->item[2 * i];
		one = node->item[2 * i + 1];
		if (one->kind == YAML_MAP || (is_empty(one) && !one->bad)) {
			good &= add_section(r, name, one, kind, in);
			continue;
		}
		conf_sections_reject(r, one->bad ? one : name, "%s: should "
		    "stand below a name, %s: { NAME: { … } }",
		    shown_name(name, shown), word);
		good = false;
	}
	return good;
}

const struct directive *
conf_sections_check(const char *name)
{
	static const char *const as_they_are[] = { "interval",
	    "fast_interval", "down_interval", "rise", "fall", "init_state" };
	char full[64];
	size_t i;

	if (strcmp(name, "type") == 0)
		return directive_find(SECTION_POOL, "check");
	for (i = 0; i < sizeof(as_they_are) / sizeof(*as_they_are); i++)
		if (strcmp(as_they_are[i], name) == 0)
			return directive_find(SECTION_POOL, name);
	snprintf(full, sizeof(full), "check_%s", name);
	return directive_find(SECTION_POOL, full);
}

/*
 * check: { type: tcp, rise: 3 }: all directives about checks of a pool
 * together.
 */
static void
read_check_node(struct conf_reading *r, const struct yaml_node *name,
    const struct yaml_node *map, struct section *pool)
{
	const struct yaml_node *one;
	const struct directive *d;
	size_t i;

	if (map->n == 0 && !map->lacks)
		conf_sections_reject(r, name, "check: { } is empty; add "
		    "type: tcp, or another kind of checks");
	for (i = 0; i < map->n; i++) {
		one = map->item[2 * i];
		if ((d = conf_sections_check(one->text)) != NULL)
			read_value(r, one, map->item[2 * i + 1], pool, d);
		else if (directive_find(SECTION_POOL, one->text) != NULL)
			conf_sections_reject(r, one, "%s does not belong in "
			    "check: { … }, but beside it", one->text);
		else
			reject_name(r, one, pool);
	}
}

/* The kind of section that this name begins here; SECTION_TOP: none. */
static enum section_kind
kind_of(enum section_kind in, const char *name)
{
	size_t k;

	for (k = 0; k < NESTED; k++)
		if (nested[k].in == in &&
		    strcmp(section_word(nested[k].kind), name) == 0)
			return nested[k].kind;
	return SECTION_TOP;
}

static void
read_section_node(struct conf_reading *r, const struct yaml_node *map,
    struct section *to)
{
	const struct yaml_node *name, *value;
	const struct directive *d;
	enum section_kind kind;
	size_t i;

	to->unknown |= map->lacks;
	for (i = 0; map->kind == YAML_MAP && i < map->n; i++) {
		name = map->item[2 * i];
		value = map->item[2 * i + 1];
		d = directive_find(to->kind, name->text);
		kind = kind_of(to->kind, name->text);
		if (to->kind == SECTION_TOP &&
		    strcmp(name->text, INCLUDE) == 0)
			r->include = value;
		else if (to->kind == SECTION_POOL && value->kind == YAML_MAP &&
		    strcmp(name->text, "check") == 0)
			read_check_node(r, name, value, to);
		else if (d != NULL)
			read_value(r, name, value, to, d);
		else if (kind != SECTION_TOP)
			to->unknown |= !read_sections(r, value, kind,
			    to->kind == SECTION_TOP ? NULL : to);
		else
			reject_name(r, name, to);
	}
}

void
conf_sections_read(struct conf_reading *r, const struct yaml_node *root)
{
	r->include = NULL;
	read_section_node(r, root, r->settings->section[SETTINGS_FILES]);
}
