/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * poller_select.c: select(2) over its own bitmaps. The kernel accepts sets of
 * any length; FD_SETSIZE limits only fd_set and FD_SET(), which are not used
 * here. Words are unsigned long, as in the kernel's definition. A change of
 * interest costs no system call; each call costs time for every watched
 * descriptor.
 */
#include "event/poller_select.h"

#include <sys/select.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BITS		(8 * sizeof(unsigned long))
#define WORD(fd)	((size_t)(fd) / BITS)
#define BIT(fd)		(1UL << (size_t)(fd) % BITS)

/* Upper bound of one sleep. */
#define WAIT_MAX	3600000		/* ms */

struct select_poller {
	struct poller	 base;
	size_t		 top;		/* words up to the last wanted bit */
	size_t		 at, end;	/* words that poller_next() scans */
	unsigned long	*want_read, *want_write, *want_urgent;
	unsigned long	*is_read, *is_write, *is_urgent;
};

static struct select_poller *
select_of(struct poller *p)
{
	return (struct select_poller *)p;
}

static void
select_destroy(struct poller *p)
{
	free(select_of(p)->want_read);
	free(p);
}

static struct poller *
select_create(size_t limit)
{
	size_t words = limit / BITS + 1;
	struct select_poller *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if ((s->want_read = calloc(6 * words, sizeof(long))) == NULL) {
		free(s);
		return NULL;
	}
	s->want_write = s->want_read + words;
	s->want_urgent = s->want_write + words;
	s->is_read = s->want_urgent + words;
	s->is_write = s->is_read + words;
	s->is_urgent = s->is_write + words;
	return &s->base;
}

static void
set_bit(unsigned long *word, unsigned long bit, bool on)
{
	*word = on ? *word | bit : *word & ~bit;
}

static void
select_want(struct poller *p, int fd, unsigned interest)
{
	struct select_poller *s = select_of(p);
	size_t w = WORD(fd);

	set_bit(&s->want_read[w], BIT(fd), interest & POLLER_READ);
	set_bit(&s->want_write[w], BIT(fd), interest & POLLER_WRITE);
	set_bit(&s->want_urgent[w], BIT(fd), interest & POLLER_URGENT);
	if (interest != 0 && w >= s->top)
		s->top = w + 1;
	while (s->top > 0 && (s->want_read[s->top - 1] |
	    s->want_write[s->top - 1] | s->want_urgent[s->top - 1]) == 0)
		s->top--;
}

/* Wakes every sleeping process; all but one go back to sleep. */
static void
select_share(struct poller *p, int fd, bool on)
{
	select_want(p, fd, on ? POLLER_READ : 0);
}

static void
select_forget(struct poller *p, int fd)
{
	struct select_poller *s = select_of(p);

	select_want(p, fd, 0);
	s->is_read[WORD(fd)] &= ~BIT(fd);
	s->is_write[WORD(fd)] &= ~BIT(fd);
	s->is_urgent[WORD(fd)] &= ~BIT(fd);
}

static int
select_wait(struct poller *p, int ms)
{
	struct select_poller *s = select_of(p);
	size_t bytes = s->top * sizeof(long);
	struct timeval tv;
	int n;

	if (ms < 0 || ms > WAIT_MAX)
		ms = WAIT_MAX;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	memcpy(s->is_read, s->want_read, bytes);
	memcpy(s->is_write, s->want_write, bytes);
	memcpy(s->is_urgent, s->want_urgent, bytes);
	s->at = 0;
	s->end = s->top;
	n = select((int)(s->top * BITS), (fd_set *)s->is_read,
	    (fd_set *)s->is_write, (fd_set *)s->is_urgent, &tv);
	if (n <= 0) {
		/* After an error the contents of the sets are undefined. */
		s->end = 0;
		return n == -1 && errno != EINTR ? -1 : 0;
	}
	return 1;
}

static int
select_next(struct poller *p, struct poller_event *ev)
{
	struct select_poller *s = select_of(p);
	unsigned long word, bit;

	for (; s->at < s->end; s->at++) {
		word = s->is_read[s->at] | s->is_write[s->at] |
		    s->is_urgent[s->at];
		if (word == 0)
			continue;
		ev->fd = (int)(s->at * BITS) + __builtin_ctzl(word);
		bit = BIT(ev->fd);
		ev->ready = (s->is_read[s->at] & bit ? POLLER_READ : 0) |
		    (s->is_write[s->at] & bit ? POLLER_WRITE : 0) |
		    (s->is_urgent[s->at] & bit ? POLLER_URGENT : 0);
		s->is_read[s->at] &= ~bit;
		s->is_write[s->at] &= ~bit;
		s->is_urgent[s->at] &= ~bit;
		return 1;
	}
	return 0;
}

const struct poller_engine poller_select = {
	.name = "select",
	.create = select_create,
	.destroy = select_destroy,
	.want = select_want,
	.share = select_share,
	.forget = select_forget,
	.wait = select_wait,
	.next = select_next,
};
