/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_file.c: walks what libconfig has parsed and puts it into the settings,
 * with file and line. It knows sections, names and kinds of values; what a text
 * or a number means is for others.
 */
#include "config/conf_file.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_scan.h"
#include "upstream/server.h"
#include "util/nearest.h"

/* Two of them make the name of a backend on the board, with room for "#16". */
#define NAME_BYTES	60
_Static_assert(2 * NAME_BYTES + sizeof("/#16") <= BACKEND_NAME,
    "no room on the board");

#define PATH_BYTES	4096

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

/* One file on its way into the settings. */
struct reading {
	struct settings	*settings;
	struct complaints *complaints;
	struct conf_text text;
	char		 directory[PATH_BYTES];	/* of the file */
};

static struct place
place_of(const struct reading *r, const config_setting_t *s)
{
	return conf_text_place(&r->text, config_setting_source_line(s));
}

/* What is written there, for a complaint. */
static const char *
show(const config_setting_t *s, char *buf, size_t size)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING:
		return quote(config_setting_get_string(s), buf, size);
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(buf, size, "%lld", config_setting_get_int64(s));
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(buf, size, "%g", config_setting_get_float(s));
		break;
	case CONFIG_TYPE_BOOL:
		strlcpy(buf, config_setting_get_bool(s) ? "true" : "false",
		    size);
		break;
	case CONFIG_TYPE_GROUP:
		strlcpy(buf, "{ … }", size);
		break;
	default:
		strlcpy(buf, "[ … ]", size);
		break;
	}
	return buf;
}

/* Is one value of this kind what the directive takes? */
static bool
fits(const struct directive *d, const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return d->type == TYPE_NUMBER || d->type == TYPE_SIZE;
	case CONFIG_TYPE_BOOL:
		return d->type == TYPE_BOOL;
	case CONFIG_TYPE_STRING:
		return d->type != TYPE_BOOL &&
		    (d->type != TYPE_NUMBER || d->words != NULL);
	default:
		return false;
	}
}

/*
 * The name of a file of networks, in *buf* if it was relative: like those of
 * included files it begins where the file is that was named to us. So what -T
 * prints means the same anywhere.
 */
static const char *
whole_name(const struct reading *r, const char *text, char *buf, size_t size)
{
	const char *kind = text[0] == '!' ? "!file:" : "file:";
	size_t n = strlen(kind);

	if (strncmp(text, kind, n) != 0 || text[n] == '/')
		return text;
	snprintf(buf, size, "%s%s/%s", kind, r->directory, text + n);
	return buf;
}

static void
read_one(struct reading *r, const config_setting_t *s, struct value *v)
{
	const struct directive *d = v->directive;
	char text[600], takes[DIRECTIVE_WHY], name[2 * PATH_BYTES];
	const char *hint = "", *is;

	if (fits(d, s)) {
		is = config_setting_type(s) == CONFIG_TYPE_STRING ?
		    config_setting_get_string(s) : show(s, text, sizeof(text));
		if (d->type == TYPE_NETWORKS)
			is = whole_name(r, is, name, sizeof(name));
		if (value_add(v, is) == -1)
			complain(r->complaints, "%s", strerror(errno));
		return;
	}
	if (config_setting_type(s) == CONFIG_TYPE_STRING)
		hint = ", without quotes";
	else if (config_setting_type(s) == CONFIG_TYPE_FLOAT &&
	    d->type == TYPE_NUMBER)
		hint = ", without a fraction";
	else if (d->type == TYPE_TIME)
		hint = ", such as \"5s\"";
	else if (d->type == TYPE_SIZE)
		hint = ", such as \"10m\"";
	else if (config_setting_is_number(s) && d->type != TYPE_NUMBER &&
	    d->type != TYPE_BOOL)
		hint = ", in quotes";
	complain_at(r->complaints, &v->place, "%s = %s: should be %s%s",
	    d->name, show(s, text, sizeof(text)),
	    directive_takes(d, takes, sizeof(takes)), hint);
}

static bool
takes_list(const struct directive *d)
{
	return d->type == TYPE_ADDRESSES || d->type == TYPE_NETWORKS;
}

static void
read_value(struct reading *r, const config_setting_t *s, struct section *to,
    const struct directive *d)
{
	const struct value *old = section_get(to, d);
	struct place place = place_of(r, s);
	char where[PATH_BYTES];
	struct value *v;
	int i;

	if (old != NULL) {
		complain_at(r->complaints, &place, "%s is set at %s already; "
		    "remove one of them", d->name,
		    place_format(&old->place, where, sizeof(where)));
		return;
	}
	if ((v = section_set(to, d, &place)) == NULL)
		complain(r->complaints, "%s", strerror(errno));
	else if (takes_list(d) && !config_setting_is_scalar(s) &&
	    !config_setting_is_group(s) && config_setting_length(s) > 0)
		for (i = 0; i < config_setting_length(s); i++)
			read_one(r, config_setting_get_elem(s, (unsigned)i), v);
	else
		read_one(r, s, v);
}

/* What HAProxy and nginx call it; NULL: nothing that we have there. */
static const char *
as_others_say(const char *name, enum section_kind in)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "maxconn", "max_sessions" }, { "max_conns", "max_sessions" },
		{ "limit_conn", "max_sessions_per_source" },
		{ "src_conn_cur", "max_sessions_per_source" },
		{ "src_conn_rate", "session_rate_per_source" },
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
		{ "reject", "deny" }, { "silent-drop", "refuse" },
		{ "proxy_download_rate", "download_rate" },
		{ "proxy_upload_rate", "upload_rate" },
		{ "max_downstream_connection_duration", "max_lifetime" },
		{ "proxy_bind", "source" }, { "usesrc", "transparent" },
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
		{ "proxy_protocol_timeout", "header_timeout" },
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

/* Neither a directive nor a section here: perhaps elsewhere, or misspelt. */
static void
unknown(struct reading *r, const config_setting_t *s, struct section *to)
{
	static const char *const homes[SECTIONS] = {
		"outside of all sections", "in a listener", "in a pool",
		"in a server of a pool", "in a limit"
	};
	const char *name = config_setting_name(s), *near, *names[100];
	const char *home = NULL;
	enum section_kind in = to->kind;
	struct place place = place_of(r, s);
	const struct directive *d;
	size_t i, all, n = 0;

	/* One complaint will do, and not that what was meant is missing. */
	to->unknown = true;
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
		near = nearest(name, names, n);
	if (home != NULL)
		complain_at(r->complaints, &place, "%s does not belong here, "
		    "but %s", name, home);
	else
		complain_at(r->complaints, &place, "there is no directive "
		    "%s%s%s", name, near == NULL ? "; see shuttled.conf(5)" :
		    ", perhaps ", near == NULL ? "" : near);
}

static void	read_section(struct reading *, const config_setting_t *,
		    struct section *);

/* A section of its own, unless there is one of this name. */
static void
add_section(struct reading *r, const config_setting_t *s,
    enum section_kind kind, const struct section *in)
{
	const char *name = config_setting_name(s), *word = section_word(kind);
	struct place place = place_of(r, s);
	char where[PATH_BYTES];
	const struct section *old;
	struct section *added;

	if (strlen(name) > NAME_BYTES) {
		complain_at(r->complaints, &place, "%s %s: a name has at most "
		    "%d bytes", word, name, NAME_BYTES);
		return;
	}
	/* Servers of one pool stand together, where libconfig sees that. */
	if (kind != SECTION_SERVER &&
	    (old = settings_find(r->settings, kind, name)) != NULL) {
		complain_at(r->complaints, &place, "%s %s is at %s already; "
		    "rename or remove one of them", word, name,
		    place_format(&old->place, where, sizeof(where)));
		return;
	}
	if ((added = settings_add(r->settings, kind, name, &place)) == NULL) {
		complain(r->complaints, "%s", strerror(errno));
		return;
	}
	added->pool = in;
	read_section(r, s, added);
}

/* listen, pool, server: a group of groups, each with a name. */
static void
read_sections(struct reading *r, const config_setting_t *s,
    enum section_kind kind, const struct section *in)
{
	const char *word = section_word(kind);
	const config_setting_t *one;
	struct place place;
	int i, n = config_setting_is_group(s) ? config_setting_length(s) : 0;

	if (!config_setting_is_group(s)) {
		place = place_of(r, s);
		complain_at(r->complaints, &place, "%s: should be a group of "
		    "groups, %s: { NAME: { … } }", word, word);
	}
	for (i = 0; i < n; i++) {
		one = config_setting_get_elem(s, (unsigned)i);
		if (config_setting_is_group(one)) {
			add_section(r, one, kind, in);
			continue;
		}
		place = place_of(r, one);
		complain_at(r->complaints, &place, "%s: should be in a group "
		    "that has a name, %s: { NAME: { … } }",
		    config_setting_name(one), word);
	}
}

/* The directive of a pool that has this name in its group `check`. */
static const struct directive *
check_directive(const char *name)
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

/* check: { type = "tcp"; rise = 3 }: in a pool, all about checks in one place. */
static void
read_check(struct reading *r, const config_setting_t *s, struct section *pool)
{
	const config_setting_t *one;
	const struct directive *d;
	struct place place = place_of(r, s);
	const char *name;
	int i;

	if (config_setting_length(s) == 0)
		complain_at(r->complaints, &place, "check: { } is empty; add "
		    "type = \"tcp\", or another kind of checks");
	for (i = 0; i < config_setting_length(s); i++) {
		one = config_setting_get_elem(s, (unsigned)i);
		name = config_setting_name(one);
		place = place_of(r, one);
		if ((d = check_directive(name)) != NULL)
			read_value(r, one, pool, d);
		else if (directive_find(SECTION_POOL, name) != NULL)
			complain_at(r->complaints, &place, "%s does not belong "
			    "in check: { … }, but beside it", name);
		else
			unknown(r, one, pool);
	}
}

static void
read_section(struct reading *r, const config_setting_t *s, struct section *to)
{
	const config_setting_t *one;
	const struct directive *d;
	size_t k;
	int i;

	for (i = 0; i < config_setting_length(s); i++) {
		one = config_setting_get_elem(s, (unsigned)i);
		d = directive_find(to->kind, config_setting_name(one));
		for (k = 0; k < NESTED; k++)
			if (nested[k].in == to->kind &&
			    strcmp(section_word(nested[k].kind),
			    config_setting_name(one)) == 0)
				break;
		if (to->kind == SECTION_POOL && config_setting_is_group(one) &&
		    strcmp(config_setting_name(one), "check") == 0)
			read_check(r, one, to);
		else if (d != NULL)
			read_value(r, one, to, d);
		else if (k < NESTED)
			read_sections(r, one, nested[k].kind,
			    to->kind == SECTION_TOP ? NULL : to);
		else
			unknown(r, one, to);
	}
}

/* Why libconfig stopped, and what would have been right. */
static void
complain_of_syntax(struct reading *r, const config_t *config)
{
	static const char *const better[][2] = {
		{ "syntax error", "syntax error here or before: directives are "
		    "NAME = VALUE, sections NAME: { … }, texts \"quoted\"" },
		{ "duplicate setting name", "this name stands in this group "
		    "already; remove one of them" },
		{ "mismatched element type in array", "all values of a list "
		    "should be of one kind, such as [\":80\", \":81\"]" },
	};
	const char *text = config_error_text(config);
	struct place place = conf_text_place(&r->text,
	    (unsigned)config_error_line(config));
	size_t i;

	for (i = 0; i < sizeof(better) / sizeof(*better); i++)
		if (strcmp(text, better[i][0]) == 0)
			text = better[i][1];
	complain_at(r->complaints, &place, "%s", text);
}

/* *path* is absolute and leads to no directory. */
static int
read_file(struct settings *st, const char *path, struct complaints *cs)
{
	struct reading r = { .settings = st, .complaints = cs };
	config_t config;
	int done = 0;

	strlcpy(r.directory, path, sizeof(r.directory));
	*strrchr(r.directory, '/') = '\0';
	/* libconfig would end the process for what cannot be read. */
	if (conf_scan(st, path, r.directory, &r.text, cs) == 0) {
		config_init(&config);
		if ((done = config_read_string(&config, r.text.text == NULL ?
		    "" : r.text.text)))
			read_section(&r, config_root_setting(&config),
			    st->section[SETTINGS_FILES]);
		else
			complain_of_syntax(&r, &config);
		config_destroy(&config);
	}
	conf_text_free(&r.text);
	return done ? 0 : -1;
}

static int
is_conf(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 5 &&
	    strcmp(e->d_name + len - 5, ".conf") == 0;
}

/* Bytewise, the same in every locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
read_directory(struct settings *st, const char *path, struct complaints *cs)
{
	struct place place = { .file = path };
	struct dirent **entry;
	char file[PATH_BYTES];
	int i, n, status = 0;

	if ((n = scandir(path, &entry, is_conf, by_name)) == -1) {
		complain_at(cs, &place, "%s", strerror(errno));
		return -1;
	}
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name);
		if (read_file(st, file, cs) == -1)
			status = -1;
		free(entry[i]);
	}
	free(entry);
	if (n > 0)
		return status;
	complain_at(cs, &place, "there is no *.conf in this directory");
	return -1;
}

int
conf_file_read(struct settings *st, const char *path, struct complaints *cs)
{
	struct stat sb;

	if (stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
		return read_directory(st, path, cs);
	return read_file(st, path, cs);
}
