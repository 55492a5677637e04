/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf.c: builds the configuration piece by piece and checks each piece. Opens
 * nothing, logs nothing.
 */
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* A host name has seldom more addresses than this. */
#define ADDRESSES	16

/* Far beyond any use, far below any overflow: a year. */
#define TIME_MAX	(UINT64_C(366) * 24 * 3600 * 1000)

#define BUILTIN_PREFIX	"builtin:"

void
conf_init(struct conf *c)
{
	memset(c, 0, sizeof(*c));
	c->buffers = 512;
	c->drain_timeout = 10 * 60 * 1000;
	c->connect_timeout = 5 * 1000;
	c->retries = 2;
	c->limits.fin_timeout = 60 * 1000;
	c->engine = poller_engine("hybrid");
	c->log_level = LOG_INFO;
}

void
conf_free(struct conf *c)
{
	free(c->listener);
	free(c->builtin);
	free(c->pool);
	free(c->backend);
}

/* Make room for *more* elements. */
static void *
grow(void *list, size_t n, size_t more, size_t size)
{
	return reallocarray(list, n + more, size);
}

int
conf_add_listener(struct conf *c, const char *text, const char **why)
{
	struct addr found[ADDRESSES];
	struct listener *l;
	int i, n;

	if (strncmp(text, BUILTIN_PREFIX, strlen(BUILTIN_PREFIX)) == 0) {
		*why = "builtin: is for backends; a listener is host:port, "
		    ":port or unix:/path";
		return -1;
	}
	if ((n = addr_parse(text, ADDR_LISTEN, found, ADDRESSES, why)) == -1)
		return -1;
	if (c->listeners + (size_t)n > CONF_LISTENERS) {
		*why = "there are more than 256 listeners";
		return -1;
	}
	l = grow(c->listener, c->listeners, (size_t)n, sizeof(*l));
	if (l == NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->listener = l;
	for (i = 0; i < n; i++) {
		l = &c->listener[c->listeners++];
		memset(l, 0, sizeof(*l));
		l->addr = found[i];
		l->fd = -1;
		addr_format(&l->addr, l->name, sizeof(l->name));
		strlcpy(l->wanted, l->name, sizeof(l->wanted));
	}
	return 0;
}

static bool
name_is_taken(const struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->backends; i++)
		if (strcmp(c->backend[i].name, name) == 0)
			return true;
	return false;
}

/* The address is the name, with #2, #3 … when it is there already. */
static void
name_backend(const struct conf *c, const char *base, char *name, size_t size)
{
	unsigned n;

	strlcpy(name, base, size);
	for (n = 2; name_is_taken(c, name); n++)
		snprintf(name, size, "%s#%u", base, n);
}

/* The one pool that the command line has. */
static int
add_pool(struct conf *c)
{
	if (c->pools > 0)
		return 0;
	if ((c->pool = calloc(1, sizeof(*c->pool))) == NULL)
		return -1;
	strlcpy(c->pool->name, "main", sizeof(c->pool->name));
	c->pools = 1;
	return 0;
}

static int
add_backend(struct conf *c, const struct backend *b, const char *base,
    const char **why)
{
	struct backend *list, *added;

	if (c->backends == BOARD_BACKENDS) {
		*why = "there are more than 4096 backends";
		return -1;
	}
	if (add_pool(c) == -1 ||
	    (list = grow(c->backend, c->backends, 1, sizeof(*b))) == NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->backend = list;
	added = &list[c->backends];
	*added = *b;
	name_backend(c, base, added->name, sizeof(added->name));
	c->backends++;
	c->pool->n++;
	return 0;
}

/* A listener on loopback, whose port becomes the backend's when it is open. */
static int
add_builtin(struct conf *c, enum builtin_kind kind, const char **why)
{
	struct listener *l;

	l = grow(c->builtin, c->builtins, 1, sizeof(*l));
	if (l == NULL) {
		*why = strerror(errno);
		return -1;
	}
	c->builtin = l;
	l = &l[c->builtins];
	memset(l, 0, sizeof(*l));
	if (addr_parse("127.0.0.1:0", ADDR_LISTEN, &l->addr, 1, why) == -1)
		return -1;
	c->builtins++;
	l->fd = -1;
	l->builtin = kind;
	l->backend = c->backends - 1;
	return 0;
}

void
conf_finish(struct conf *c)
{
	struct listener *l;
	struct pool *p;

	for (l = c->listener; l < c->listener + c->listeners; l++) {
		l->limits = c->limits;
		l->defer_accept = c->defer_accept;
		l->fast_open = c->fast_open;
	}
	for (p = c->pool; p < c->pool + c->pools; p++) {
		p->connect_timeout = c->connect_timeout;
		p->attempts = c->retries + 1;
		p->fast_open = c->fast_open;
	}
}

int
conf_sit_down(struct conf *c, struct board *board, uint64_t generation,
    uint64_t oldest)
{
	struct backend *b;
	struct pool *p;

	for (b = c->backend; b < c->backend + c->backends; b++)
		if ((b->seat = board_seat_backend(board, b->name, generation,
		    oldest)) == BOARD_NO_SEAT)
			return -1;
	for (p = c->pool; p < c->pool + c->pools; p++)
		if ((p->seat = board_seat_pool(board, p->name, generation,
		    oldest)) == BOARD_NO_SEAT)
			return -1;
	return 0;
}

int
conf_number(const char *text, long long min, long long max, unsigned *to)
{
	const char *err;
	long long n = strtonum(text, min, max, &err);

	if (err != NULL || text[strspn(text, "0123456789")] != '\0')
		return -1;
	*to = (unsigned)n;
	return 0;
}

/* One of the words after the address: weight=N, backup, spare=N, name=S. */
static int
read_word(const struct conf *c, char *word, struct backend *b,
    const char **why)
{
	if (strcmp(word, "backup") == 0) {
		b->tier = TIER_BACKUP;
	} else if (strncmp(word, "weight=", 7) == 0) {
		if (conf_number(word + 7, 1, BACKEND_WEIGHT_MAX,
		    &b->weight) == -1) {
			*why = "weight is a number from 1 to 256";
			return -1;
		}
	} else if (strncmp(word, "spare=", 6) == 0) {
		if (conf_number(word + 6, 0, BACKEND_SPARE_MAX,
		    &b->spare) == -1) {
			*why = "spare is a number from 0 to 64";
			return -1;
		}
	} else if (strncmp(word, "name=", 5) == 0) {
		if (word[5] == '\0' || strlen(word + 5) >= CONF_NAME ||
		    strpbrk(word + 5, " \t\"=") != NULL) {
			*why = "a name has 1 to 63 bytes, "
			    "no spaces, quotes or '='";
			return -1;
		}
		strlcpy(b->name, word + 5, sizeof(b->name));
		if (name_is_taken(c, b->name)) {
			*why = "another backend has this name";
			return -1;
		}
	} else {
		*why = "after the address come weight=N, backup, spare=N or "
		    "name=S";
		return -1;
	}
	return 0;
}

/* Take the words off *text*, which is left with the address alone. */
static int
read_words(const struct conf *c, char *text, struct backend *b,
    const char **why)
{
	char *word, *rest;

	memset(b, 0, sizeof(*b));
	b->weight = 1;
	b->tier = TIER_PRIMARY;
	rest = strchr(text, ',');
	if (rest != NULL)
		*rest++ = '\0';
	while ((word = strsep(&rest, ",")) != NULL)
		if (read_word(c, word, b, why) == -1)
			return -1;
	return 0;
}

int
conf_add_backend(struct conf *c, const char *given, const char **why)
{
	struct addr found[ADDRESSES];
	char text[512], name[ADDR_TEXT];
	enum builtin_kind kind;
	struct backend b;
	int i, n;

	if (strlcpy(text, given, sizeof(text)) >= sizeof(text)) {
		*why = "this is too long";
		return -1;
	}
	if (read_words(c, text, &b, why) == -1)
		return -1;
	if (strncmp(text, BUILTIN_PREFIX, strlen(BUILTIN_PREFIX)) == 0) {
		kind = builtin_kind(text + strlen(BUILTIN_PREFIX));
		if (kind == BUILTIN_NONE) {
			*why = "the builtins are builtin:hello, builtin:echo "
			    "and builtin:discard";
			return -1;
		}
		if (b.spare > 0) {
			*why = "spare is not for builtin backends";
			return -1;
		}
		if (add_backend(c, &b, b.name[0] ? b.name : text, why) == -1)
			return -1;
		if (add_builtin(c, kind, why) == 0)
			return 0;
		c->backends--;
		c->pool->n--;
		return -1;
	}
	if ((n = addr_parse(text, ADDR_CONNECT, found, ADDRESSES, why)) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		b.addr = found[i];
		addr_format(&b.addr, name, sizeof(name));
		if (add_backend(c, &b, b.name[0] ? b.name : name, why) == -1)
			return -1;
	}
	return 0;
}

int
conf_time(const char *text, uint64_t *ms, const char **why)
{
	static const struct {
		const char *unit;
		uint64_t    ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	};
	unsigned long long n;
	size_t i;
	char *end;

	*ms = 0;
	if (strcmp(text, "off") == 0 || strcmp(text, "0") == 0)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && errno == 0)
		for (i = 0; i < sizeof(units) / sizeof(*units); i++)
			if (strcmp(end, units[i].unit) == 0 &&
			    n <= TIME_MAX / units[i].ms) {
				*ms = n * units[i].ms;
				return 0;
			}
	*why = "a time is a number with a unit: 300ms, 5s, 10m, 1h; or off";
	return -1;
}
