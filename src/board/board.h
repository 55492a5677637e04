/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board.h: the shared memory that makes many workers one service. The master
 * makes it before it forks; every process maps the same pages.
 *
 * Servers and pools have slots, which they keep by name: who is in the next
 * configuration too goes on with what stands there.
 *
 * It begins with the ledger: what the master alone says. All others have those
 * pages for reading only, so nothing that a number leads to can be spoilt. Next is
 * the book of the servers, which workers read only: what the prober has found.
 *
 * Every counter has one writer, named below, and any number of readers; nobody
 * takes a lock. Where there is more than one writer the field says so and is
 * changed by atomic read-modify-write only. A field that is read while it is
 * written is at worst one event old.
 */
#ifndef BOARD_H
#define BOARD_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/rate.h"
#include "board/resolved_addr.h"
#include "relay/shuttle.h"
#include "util/counter.h"

#define BOARD_MAGIC	UINT64_C(0x64656c7474756873)	/* "shuttled" */
#define BOARD_VERSION	9
#define BOARD_WORKERS	1024		/* the most slots there can be */
#define BOARD_SERVERS	32768		/* of a configuration at most */
#define BOARD_POOLS	16384		/* room for pools, old and new */
#define BOARD_SERVER_SLOTS	(4 * BOARD_SERVERS) /* for servers, likewise */
#define BOARD_LISTENERS	16384		/* likewise */
#define BOARD_EVERYBODY	BOARD_LISTENERS	/* beside them: all sessions */
#define BOARD_CLIENTS	(1u << 18)	/* room for them in each worker */
#define BOARD_CLIENTS_ROW	(BOARD_CLIENTS * sizeof(uint64_t))
#define BOARD_MOST_LIVE	(1u << 20)	/* sessions, see rlimit_raise_descriptors() */
#define BOARD_NAME	128		/* bytes with the NUL */
#define BOARD_NO_SLOT	UINT32_MAX
#define BOARD_ENDS	64		/* room for reasons a session ends for */
#define BOARD_DOWNS	UINT32_C(0xffff)

#define WORKER_STATES(X) X(FREE) X(STARTING) X(READY) X(CLOSING) \
	X(DRAINING)

enum worker_state {
#define X(name) WORKER_##name,
	WORKER_STATES(X)
#undef X
};

/*
 * One worker. Written by that worker alone, but by the master while no process
 * holds the slot. Totals go on counting when a worker is respawned.
 */
struct board_worker {
	_Alignas(64)
	_Atomic uint32_t state;		/* enum worker_state */
	_Atomic uint32_t live;		/* sessions now */
	_Atomic uint64_t heartbeat;	/* clock_now_ms() of the last loop turn */
	/* Events that were there by then it has acted on; see board_saw(). */
	_Atomic uint64_t seen;
	_Atomic uint32_t ending;	/* sessions with an end, not over yet */
	_Atomic uint64_t total;		/* sessions ever accepted */
	/* bytes to servers, to clients */
	_Atomic uint64_t bytes_up, bytes_down;
	_Atomic uint64_t retries;	/* attempts after the first */
	_Atomic uint64_t lost;		/* sessions that died with a worker */
	_Atomic uint64_t pauses;	/* episodes without accepting */
	_Atomic uint64_t log_lost;	/* lines that nobody could take */
	_Atomic uint64_t ends[BOARD_ENDS];	/* by enum session_end */
	_Atomic uint64_t spared[BOARD_ENDS];	/* dry_run let in, likewise */
	struct shuttle_counts shuttles;	/* that worker alone */
};

/* Whether a server serves, as its checks see it. */
#define SERVER_HEALTHS(X) X(UNKNOWN) X(UP) X(DOWN)

enum server_health {
#define X(name) HEALTH_##name,
	SERVER_HEALTHS(X)
#undef X
};

/* What sessions see of one server; any worker writes. */
struct board_server {
	_Alignas(64)
	/* clock_now_ms() value; 0: in service */
	_Atomic uint64_t ejected_until;
	_Atomic uint64_t failures;	/* attempts that failed */
	_Atomic uint64_t served;	/* sessions it answered */
	_Atomic uint64_t recent;	/* failures of late: see server.c */
	_Atomic uint64_t last_ejected_until; /* the last time it was ejected */
	_Atomic uint32_t ejections;	/* in a row */
	_Atomic uint64_t lacking;	/* not to be tried: see server.c */
};

/* What checks see of it; the prober alone writes, and no worker can. */
struct board_book {
	_Alignas(64)
	_Atomic uint32_t health;	/* enum server_health */
	/* Times it went down, and above BOARD_DOWNS how many sat here before. */
	_Atomic uint32_t downs;
	/* clock_now_ms() of the last such change; 0: up from the beginning. */
	_Atomic uint64_t changed;
	_Atomic uint64_t checks, check_failures;
	_Atomic uint32_t check_ms;	/* what the last one took */
	/*
	 * Where it is: of a name the prober writes it, of a new slot the
	 * master.
	 */
	struct board_addr resolved;
};

/* Tiers of servers, in the order in which they are tried. */
enum { TIER_PRIMARY, TIER_BACKUP, TIER_BOTH, TIERS };

/* One pool; any worker writes the tickets and what is known of its queue. */
struct board_pool {
	_Alignas(64)
	/* Of what server_weight() and server_tier() say; the prober writes. */
	_Atomic uint32_t version;
	_Alignas(64)
	_Atomic uint64_t queue_tail;	/* the last ticket of its queue */
	_Atomic uint32_t waiting;	/* 0: nobody is in its queue */
	_Atomic uint32_t guesses;	/* all seem to fail: see wait_queue.c */
	/* Places in the round-robin sequence given out. */
	struct {
		_Alignas(64) _Atomic uint64_t ticket;
	} tier[TIERS];
};

/* One listener that has a name. */
struct board_listener {
	_Alignas(64)
	struct rate	 rate;		/* of its sessions; any worker writes */
};

/* Who of one worker waits for one pool; written by that worker alone. */
struct board_wait {
	_Atomic uint64_t ticket;	/* of the oldest; 0: nobody waits */
	_Atomic uint32_t n;
};

/* What stands on a line of its own before all that any process may write. */
struct board_head {
	_Alignas(64)
	_Atomic uint32_t changes;	/* of health, sites; the prober writes */
	/* 1: it counts them; written by that worker, cleared by the master. */
	_Alignas(64)
	_Atomic uint8_t	 counts_clients[BOARD_WORKERS];
};

struct board_shared {
	struct board_head head;
	struct board_worker worker[BOARD_WORKERS];
	struct board_pool pool[BOARD_POOLS];
	struct board_server server[BOARD_SERVER_SLOTS];
	struct board_listener listener[BOARD_LISTENERS];
	struct rate_bucket rates[RATE_BUCKETS];	/* by client */
};

/*
 * The cells of one worker, which writes them alone. The padding is for who
 * reads whole ones, and keeps the rows of many workers out of one set of the
 * cache.
 */
struct board_row {
	_Alignas(64)
	_Atomic uint32_t live[BOARD_SERVER_SLOTS]; /* sessions, by server */
	_Atomic uint32_t present[BOARD_LISTENERS + 16];	/* by listener */
	struct board_wait wait[BOARD_POOLS];
	/* In our copy: a bucket of clients was full, rightly or not. */
	_Atomic uint32_t crowded;
	uint32_t	 padding[15];
};

/* Whose slot it is. */
struct board_slot {
	char		 name[BOARD_NAME];
	uint64_t	 hash;		/* of the name; 0: never taken */
	uint64_t	 generation;	/* the last that has it */
	uint64_t	 where;		/* hash of a server's address; 0: none */
};

/* The process that holds a slot. */
struct board_process {
	_Atomic int32_t	 pid;		/* 0: none does */
	_Atomic uint32_t stopped;	/* by SIGSTOP */
	_Atomic uint32_t generation;	/* of the configuration it runs */
};

/* The first pages; a master alone writes, two of them during an upgrade. */
struct board_ledger {
	uint64_t	 magic;
	uint32_t	 version;
	uint32_t	 rows;		/* workers that there is room for */
	uint64_t	 seed[2];	/* random, of the hashes of clients */
	_Atomic uint32_t worker_slots;	/* those in use are below this */
	_Atomic uint32_t generation;	/* the latest there was */
	_Atomic uint32_t leaving;	/* 1 from QUIT on: others are to serve */
	_Atomic uint32_t stopping;	/* 1 from TERM on: all sessions end */
	_Atomic uint32_t outdated;	/* generations up to this: too many */
	/* Slots that were ever taken: behind these there is nothing. */
	_Atomic uint32_t servers, pools, listeners;
	struct board_process process[BOARD_WORKERS];
	struct board_slot pool[BOARD_POOLS];
	struct board_slot server[BOARD_SERVER_SLOTS];
	struct board_slot listener[BOARD_LISTENERS];
};

struct slot_index;

/*
 * Where all of it is, in memory of our own: a worker that has been taken over can
 * write numbers, but not move what they stand for.
 */
struct board {
	struct board_ledger *ledger;
	struct board_book *book;	/* BOARD_SERVER_SLOTS */
	struct board_head *head;
	struct board_worker *worker;	/* BOARD_WORKERS */
	struct board_pool *pool;	/* BOARD_POOLS */
	struct board_server *server;	/* BOARD_SERVER_SLOTS */
	struct board_listener *listener; /* BOARD_LISTENERS */
	struct rate_bucket *rates;	/* RATE_BUCKETS */
	struct board_row *row;		/* by worker */
	_Atomic uint64_t *clients;	/* BOARD_CLIENTS of each worker */
	uint32_t	 rows;		/* workers there is room for */
	size_t		 size;		/* of all of it */
	int		 reader;	/* opens the ledger to read; -1: none */
	struct board_row *own;		/* what our row should say; or NULL */
	struct slot_index *index[3];	/* of the master, see board_slot.c */
};

/*
 * Make a board with room for so many workers, rounded up; memory is touched only
 * where one sits. NULL with errno set. It lives until the last process unmaps.
 * *fd, unless it is NULL, becomes a descriptor to pass it on by, the caller's to
 * close.
 */
struct board *board_new(uint32_t workers, int *fd);

/* How many bytes of address space that takes. */
size_t	board_bytes(uint32_t workers);

/*
 * Map a board that another program has made. NULL with errno set: EINVAL when it
 * is none, not laid out as ours, or makes no sense.
 */
struct board *board_adopt(int fd);

void	board_free(struct board *);

/*
 * From here on this process may only read what the master says, and a worker what
 * the prober says, too. For the child of a fork. 0, or -1 with errno set.
 */
int	board_leave_ledger(struct board *, bool worker);

/* The signal that a worker is called by, and its name among system calls. */
#define BOARD_WAKEUP	SIGURG

/*
 * Wake this worker, wherever it comes from: which process holds the slot stands
 * in the ledger. One of another user is not woken; it looks before long.
 */
void	board_wake(const struct board *, uint32_t worker);

/* Wake all: the prober has found something that they may have waited for. */
void	board_wake_all(const struct board *);

/* FNV-1a (Fowler, Noll, Vo), never 0: it spares us to compare all names. */
uint64_t board_hash(const char *name);

/*
 * The slot of the server, pool or listener called *name*: its own if it has
 * one, else one that nobody has used since *oldest*; what was not used since
 * then is wiped clean. It is kept for *generation*. A server has one for each
 * address, of which *where* is a hash: sessions at another address are not on
 * this server. BOARD_NO_SLOT: all are taken, or there is no memory. For the
 * master.
 */
uint32_t board_assign_server(struct board *, const char *name, uint64_t where,
	    uint64_t generation, uint64_t oldest);
uint32_t board_assign_pool(struct board *, const char *name,
	    uint64_t generation, uint64_t oldest);
uint32_t board_assign_listener(struct board *, const char *name,
	    uint64_t generation, uint64_t oldest);

/* That was all of this generation: what made it fast is given back. */
void	board_end_assigning(struct board *);

/* Are so many of these slots used, and is each what it says? */
bool	board_slots_are_sound(const struct board_slot *, uint32_t used,
	    uint32_t room);

/* Sessions that *worker* holds on *server*; written by that worker alone. */
static inline _Atomic uint32_t *
board_live(const struct board *b, uint32_t worker, uint32_t server)
{
	return &b->row[worker].live[server];
}

/*
 * The same that came through the listener in this slot, or in all; and, in a
 * table of BOARD_CLIENTS, by client: see concurrency.h.
 */
static inline _Atomic uint32_t *
board_present(const struct board *b, uint32_t worker, uint32_t listener)
{
	return &b->row[worker].present[listener];
}

static inline _Atomic uint64_t *
board_clients(const struct board *b, uint32_t worker)
{
	return &b->clients[(size_t)worker * BOARD_CLIENTS];
}

/* Who of *worker* waits for the pool in this slot. */
static inline struct board_wait *
board_wait(const struct board *b, uint32_t worker, uint32_t pool)
{
	return &b->row[worker].wait[pool];
}

/*
 * Empty the row of a worker. How many cells were not; its clients are not told.
 */
uint32_t board_clear_row(const struct board *, uint32_t worker);
void	board_forget_clients(const struct board *, uint32_t worker);

/*
 * This process has *worker* and from now on keeps a copy of its row, which begins
 * empty. 0, or -1 with ENOMEM.
 */
int	board_keep_row(struct board *, uint32_t worker);

/*
 * Put the row right where it is not as our copy says, and empty those between it
 * and the worker before it, which nobody has. Returns how many cells were wrong:
 * a process has written what it should not.
 */
uint32_t board_mend_row(const struct board *, uint32_t worker);

/* Workers have slots below this. */
uint32_t board_worker_slots(const struct board *);

/*
 * A process has this slot now, of this generation; board_reclaim() takes it from
 * it. For the master.
 */
void	board_hold(struct board *, uint32_t worker, int32_t pid,
	    uint32_t generation);

/*
 * Does a process hold this slot, and did its heart beat within *ms* before now?
 * One that is ahead of every clock has been written by another process.
 */
bool	board_is_held(const struct board *, uint32_t worker);
bool	board_beats(const struct board *, uint32_t worker, uint64_t now,
	    uint64_t ms);

/* Has it acted on all that it could know *since* that time? */
bool	board_saw(const struct board *, uint32_t worker, uint64_t since,
	    uint64_t now);

/* Over all workers there ever were. */
struct board_totals {
	uint64_t	sessions, lost;
	uint64_t	bytes_up, bytes_down; /* bytes to servers, to clients */
};

void	board_sum(const struct board *, struct board_totals *);

/*
 * Another server has this slot now: forget how the one before it did, and begin
 * with this health.
 */
void	board_renew(struct board *, uint32_t slot, enum server_health);

/* The oldest generation that still has workers, or else the latest. */
uint32_t board_oldest(const struct board *);

/* Sessions on *server* over all workers. */
uint32_t board_server_live(const struct board *, uint32_t server);

/*
 * Take back all that a dead worker held and set its slot free. Returns how many
 * sessions were lost. For the master, after it has reaped the process.
 */
uint32_t board_reclaim(struct board *, uint32_t worker);

enum server_health board_health(const struct board_book *);

const char *board_worker_state_name(enum worker_state);
const char *board_server_health_name(enum server_health); /* in lower case */

/*
 * What is told of our own row, once more in our copy of it. Whoever writes a cell
 * that another process counts by says so here.
 */
static inline void
board_own_live(const struct board *b, uint32_t server, int32_t n)
{
	if (b->own != NULL)
		gauge_add(&b->own->live[server], n);
}

static inline void
board_own_present(const struct board *b, uint32_t listener, int32_t n)
{
	if (b->own != NULL)
		gauge_add(&b->own->present[listener], n);
}

static inline void
board_own_waiting(const struct board *b, uint32_t pool, int32_t n)
{
	if (b->own != NULL)
		gauge_add(&b->own->wait[pool].n, n);
}

static inline void
board_own_ticket(const struct board *b, uint32_t pool, uint64_t ticket)
{
	if (b->own != NULL)
		atomic_store_explicit(&b->own->wait[pool].ticket, ticket,
		    memory_order_relaxed);
}

#endif
