/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * seating.c: compares what was found with what stands on the board, and writes
 * the difference. Keeps nothing: whoever comes after us finds all there.
 */
#include "seating.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"

/* A change under way. */
struct change {
	const struct seating *seating;
	struct text	*news;
	unsigned	 n;		/* told of */
	bool		 wrote;
	struct {
		struct site	site;	/* as it stands on the board */
		bool		known, taken;
	} seat[CONF_RESOLVE];
};

static struct board_backend *
backend(const struct seating *s, uint32_t i)
{
	return &s->board->backend[s->seat[i].seat];
}

/* Is this what the board says of the seat, and of the same question? */
static bool
look(const struct seating *s, uint32_t i, struct site *site)
{
	(void)site_read(&backend(s, i)->site, site);
	return site->question == s->seat[i].question;
}

bool
seating_taken(const struct seating *s)
{
	struct site site;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (look(s, i, &site) && site.family != 0)
			return true;
	return false;
}

static int
by_priority(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	/* Where there are too many, those stay that are there. */
	if (x->seated != y->seated)
		return x->seated ? -1 : 1;
	return memcmp(x->site.ip, y->site.ip, sizeof(x->site.ip));
}

/*
 * The board's weights end at BACKEND_WEIGHT_MAX, those of SRV at 65535: they keep
 * their ratios. One of 0 beside others is to have "a very small chance".
 */
static void
scale(struct found *f, size_t n, uint32_t unit)
{
	uint32_t max = 0, most = BACKEND_WEIGHT_MAX / (unit == 0 ? 1 : unit);
	uint32_t w;
	bool none = false;
	size_t i;

	for (i = 0; i < n; i++) {
		max = f[i].site.weight > max ? f[i].site.weight : max;
		none |= f[i].site.weight == 0;
	}
	for (i = 0; i < n; i++) {
		w = f[i].site.weight;
		if (max > most || (none && max > 0))
			w = (w * most + max / 2) / max;
		f[i].site.weight = (uint16_t)(w == 0 ? 1 : w);
	}
}

static void
tell(struct change *c, uint32_t i, const struct site *site, const char *what)
{
	char text[ADDR_TEXT];
	struct addr a;

	site_addr(site, &a);
	if (c->n++ > 0)
		text_string(c->news, ", ");
	text_string(c->news, addr_format(&a, text, sizeof(text)));
	text_string(c->news, what);
	text_string(c->news, c->seating->seat[i].name);
}

static void
write_seat(struct change *c, uint32_t i, const struct site *site)
{
	site_write(&backend(c->seating, i)->site, site);
	c->seat[i].site = *site;
	c->seat[i].known = true;
	c->wrote = true;
}

/* The seat that has this server; their number: none has. */
static uint32_t
seat_of(const struct change *c, const struct site *site)
{
	uint32_t i;

	for (i = 0; i < c->seating->n; i++)
		if (c->seat[i].known && site_same(&c->seat[i].site, site))
			break;
	return i;
}

/* In the order of their importance, as they are to stand on the board. */
static void
arrange(const struct change *c, struct found *found, size_t n)
{
	const struct seating *s = c->seating;
	size_t k;

	scale(found, n, s->seat->weight);
	for (k = 0; k < n; k++)
		found[k].seated = seat_of(c, &found[k].site) < s->n;
	if (n > 0)
		qsort(found, n, sizeof(*found), by_priority);
	for (k = 0; k < n; k++) {
		found[k].site.question = s->seat->question;
		found[k].site.backup =
		    found[k].priority > found[0].priority;
	}
}

/* Who has a seat already? The others of *found* are moved to its front. */
static size_t
keep_seats(struct change *c, struct found *found, size_t n)
{
	const struct seating *s = c->seating;
	const struct site *old;
	size_t k, rest = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (c->seat[i].known && c->seat[i].site.family != 0 &&
		    s->keep & SEATING_KEEP(c->seat[i].site.family))
			c->seat[i].taken = true;
	for (k = 0; k < n; k++) {
		if ((i = seat_of(c, &found[k].site)) == s->n) {
			found[rest++] = found[k];
			continue;
		}
		c->seat[i].taken = true;
		old = &c->seat[i].site;
		if (old->weight == found[k].site.weight &&
		    old->backup == found[k].site.backup)
			continue;
		tell(c, i, old, " has another weight or priority as ");
		write_seat(c, i, &found[k].site);
	}
	return rest;
}

/* One that nobody has, best one without sessions of who had it before. */
static uint32_t
free_seat(const struct change *c)
{
	const struct seating *s = c->seating;
	uint32_t i, other = s->n;

	for (i = 0; i < s->n; i++) {
		if (c->seat[i].taken)
			continue;
		if (board_backend_live(s->board, s->seat[i].seat) == 0 &&
		    c->seat[i].site.family == 0)
			return i;
		if (other == s->n || (board_backend_live(s->board,
		    s->seat[i].seat) == 0 && board_backend_live(s->board,
		    s->seat[other].seat) > 0))
			other = i;
	}
	return other;
}

static void
leave(struct change *c, uint32_t i)
{
	const struct site nobody = { .question = c->seating->seat[i].question };

	if (c->seat[i].known && c->seat[i].site.family != 0)
		tell(c, i, &c->seat[i].site, " is no longer ");
	else if (c->seat[i].known)
		return;
	write_seat(c, i, &nobody);
}

static void
come(struct change *c, uint32_t i, const struct site *site)
{
	if (c->seat[i].known && c->seat[i].site.family != 0)
		tell(c, i, &c->seat[i].site, " is no longer ");
	tell(c, i, site, " is now ");
	board_renew(backend(c->seating, i), c->seating->health);
	write_seat(c, i, site);
	c->seat[i].taken = true;
}

unsigned
seating_change(const struct seating *s, struct found *found, size_t n,
    struct text *news)
{
	struct change c = { .seating = s, .news = news };
	uint32_t i, seat;
	size_t k;

	for (i = 0; i < s->n; i++) {
		c.seat[i].known = look(s, i, &c.seat[i].site);
		/* What is there of another question counts for nothing. */
		if (!c.seat[i].known)
			c.seat[i].site.family = 0;
	}
	arrange(&c, found, n);
	n = keep_seats(&c, found, n < s->n ? n : s->n);
	/* Who comes is there before who goes is gone. */
	for (k = 0; k < n && (seat = free_seat(&c)) < s->n; k++)
		come(&c, seat, &found[k].site);
	for (i = 0; i < s->n; i++)
		if (!c.seat[i].taken)
			leave(&c, i);
	if (c.wrote) {
		atomic_fetch_add(&s->board->pool[s->pool].version, 1);
		atomic_fetch_add(&s->board->head->changes, 1);
	}
	return c.n;
}
