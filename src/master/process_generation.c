/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process_generation.c: a new generation of workers, and the retirement of old
 * ones. A new one is held until all of it could accept, so that it can be
 * cancelled before any client has seen it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "master/process_table.h"
#include "process/process.h"
#include "sys/clock.h"
#include "util/text.h"

/* Time of a start without progress, and in total, in ms. */
#define STEP_TIME	10000
#define START_TIME	120000

/* Time for a worker that never served to end, in ms. */
#define ABANDON_TIME	1000

int
process_generation_begin(struct process_table *cs, uint32_t generation,
    struct conf *conf, struct log *log)
{
	uint32_t slot;
	unsigned i;

	memset(&cs->coming, 0, sizeof(cs->coming));
	cs->coming.generation = generation;
	cs->coming.conf = conf;
	cs->coming.log = log;
	cs->coming.began = cs->coming.progress = clock_now_ms();
	for (i = 0; i < conf->workers; i++)
		if (process_table_slot(cs, &slot) == -1 ||
		    process_table_spawn(cs, slot, generation) == -1)
			break;
	if (i == conf->workers)
		return 0;
	if (errno == ENOSPC)
		snprintf(cs->why, sizeof(cs->why), "there is no place for "
		    "worker %u: all %u are taken, earlier generations included",
		    i + 1, cs->slots);
	else
		snprintf(cs->why, sizeof(cs->why), "worker %u: %s", i + 1,
		    strerror(errno));
	return -1;
}

/* The deadline: clock_now_ms(). */
static uint64_t
end_of_patience(const struct coming *next)
{
	uint64_t step = next->progress + STEP_TIME;
	uint64_t all = next->began + START_TIME;

	return step < all ? step : all;
}

int
process_generation_patience(const struct process_table *cs)
{
	uint64_t now = clock_now_ms(), end = end_of_patience(&cs->coming);

	return end <= now ? 0 : (int)(end - now);
}

int
process_generation_ready(struct process_table *cs)
{
	const struct coming *next = &cs->coming;
	const struct child *late = NULL;
	uint64_t now = clock_now_ms();
	uint32_t i;

	if (next->failed)
		return -1;
	for (i = 0; i < cs->slots; i++)
		if (process_table_coming(cs, &cs->at[i]) &&
		    cs->at[i].state == CHILD_STARTING)
			late = &cs->at[i];
	if (late == NULL)
		return 1;
	if (now < end_of_patience(next))
		return 0;
	snprintf(cs->why, sizeof(cs->why), "worker %u, pid %d, is too slow: it "
	    "is not ready %llu s after its start, %llu s after the last step of "
	    "any", (unsigned)(late - cs->at) + 1, (int)late->pid,
	    (unsigned long long)(now - late->born) / 1000,
	    (unsigned long long)(now - next->progress) / 1000);
	return -1;
}

void
process_generation_go(struct process_table *cs)
{
	uint32_t i, generation = cs->coming.generation;

	memset(&cs->coming, 0, sizeof(cs->coming));
	cs->generation = generation;
	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].pid != 0 && cs->at[i].generation == generation)
			process_table_tell(cs, &cs->at[i], TELL_GO);
}

void
process_generation_abandon(struct process_table *cs)
{
	struct child *c;
	uint32_t i;

	for (i = 0; i < cs->slots; i++) {
		c = &cs->at[i];
		if (c->generation != cs->coming.generation)
			continue;
		c->due = c->pid == 0 ? 0 : clock_now_ms() + ABANDON_TIME;
		c->leaving = true;
		if (c->pid != 0)
			(void)kill(c->pid, SIGTERM);
	}
	memset(&cs->coming, 0, sizeof(cs->coming));
}

unsigned
process_generation_retire(struct process_table *cs)
{
	struct child *c;
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < cs->slots; i++) {
		c = &cs->at[i];
		c->awaited = false;
		if (c->generation == cs->generation)
			continue;
		if (c->pid == 0)
			c->due = 0;
		if (c->pid == 0 || c->leaving)
			continue;
		process_table_release(cs, c);
		c->awaited = true;
		n++;
	}
	return n;
}

/* The generations that count: their number, and the oldest one. */
struct generations {
	unsigned	n;
	uint32_t	oldest;
	unsigned	workers, sessions;	/* of the oldest */
};

/*
 * Generations that max_generations does not end already. A worker without a
 * session is about to end, unless it is stopped.
 */
static bool
counts_as_generation(const struct process_table *cs, uint32_t slot)
{
	const struct board *b = cs->board;
	uint32_t generation = atomic_load(&b->ledger->process[slot].generation);

	return board_is_held(b, slot) &&
	    generation > atomic_load(&b->ledger->outdated) &&
	    (generation == cs->generation ||
	    atomic_load(&b->worker[slot].live) > 0 ||
	    atomic_load(&b->ledger->process[slot].stopped));
}

/* True if one of this generation counts below slot *end*. */
static bool
has_generation(const struct process_table *cs, uint32_t end,
    uint32_t generation)
{
	uint32_t i;

	for (i = 0; i < end; i++)
		if (counts_as_generation(cs, i) && atomic_load(
		    &cs->board->ledger->process[i].generation) == generation)
			return true;
	return false;
}

static void
count_generations(const struct process_table *cs, struct generations *g)
{
	uint32_t i, generation;

	memset(g, 0, sizeof(*g));
	for (i = 0; i < board_worker_slots(cs->board); i++) {
		if (!counts_as_generation(cs, i))
			continue;
		generation = atomic_load(
		    &cs->board->ledger->process[i].generation);
		if (!has_generation(cs, i, generation))
			g->n++;
		if (g->workers == 0 || generation < g->oldest) {
			g->oldest = generation;
			g->workers = g->sessions = 0;
		}
		if (generation != g->oldest)
			continue;
		g->workers++;
		g->sessions += atomic_load(&cs->board->worker[i].live);
	}
}

static void
log_generations(const struct process_table *cs, const struct generations *g,
    const char *what)
{
	log_line(cs->log, LOG_WARNING, "max_generations: %u of at most %u "
	    "have workers: generation %u, %u worker%s with %u session%s, is "
	    "ended %s", g->n, cs->conf->max_generations, g->oldest, g->workers,
	    text_s(g->workers), g->sessions, text_s(g->sessions), what);
}

void
process_table_limit(struct process_table *cs)
{
	unsigned most = cs->conf->max_generations;
	struct generations g;
	uint32_t i;

	if (most == 0)
		return;
	/* Includes the workers of a master that has died. */
	for (i = 0; i < board_worker_slots(cs->board); i++)
		(void)process_table_slot_is_free(cs->board, i);
	count_generations(cs, &g);
	while (g.n > most && g.oldest != cs->generation) {
		log_generations(cs, &g, "within 5 s");
		atomic_store(&cs->board->ledger->outdated, g.oldest);
		count_generations(cs, &g);
	}
	if (g.n == most && g.oldest != cs->generation)
		log_generations(cs, &g, "at the next reload");
	process_table_heed(cs);
	/* This wakes them. */
	process_table_look(cs);
}

void
process_table_heed(struct process_table *cs)
{
	const struct board_ledger *l = cs->board->ledger;
	struct child *c;
	uint32_t i;

	for (i = 0; i < cs->slots; i++) {
		c = &cs->at[i];
		if (c->pid == 0 || !c->leaving)
			continue;
		if (atomic_load(&l->leaving))
			child_expect_end(c, c->drain_time);
		if (c->generation <= atomic_load(&l->outdated))
			child_expect_end(c, PROCESS_HURRY);
	}
}

bool
process_generation_accept(const struct process_table *cs)
{
	uint32_t i;

	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].pid != 0 && cs->at[i].awaited &&
		    cs->at[i].state != CHILD_CLOSED)
			return true;
	return false;
}
