/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * board.h: the shared memory that makes many workers one service. The master
 * creates it before it forks; every process maps the same pages.
 *
 * Servers and pools have slots by name: a reload keeps the state of those whose
 * name is in the next configuration, too.
 *
 * The board begins with the ledger, which only the master writes. All other
 * processes map it read-only, so a compromised worker cannot redirect anything
 * that its numbers lead to. Next is the book of the servers with the results of
 * the prober, which workers map read-only.
 *
 * Every counter has one writer, named below, and any number of readers; there
 * are no locks. A field with several writers says so and is changed by atomic
 * read-modify-write only. A field that is read while it is written is at worst
 * one event old.
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
#define BOARD_WORKERS	1024		/* worker slots at most */
#define BOARD_SERVERS	32768		/* servers of a configuration at most */
#define BOARD_POOLS	16384		/* pools, old and new */
#define BOARD_SERVER_SLOTS	(4 * BOARD_SERVERS) /* for servers, likewise */
#define BOARD_LISTENERS	16384		/* likewise */
#define BOARD_EVERYBODY	BOARD_LISTENERS	/* index of all sessions */
#define BOARD_CLIENTS	(1u << 18)	/* entries in each worker */
#define BOARD_CLIENTS_ROW	(BOARD_CLIENTS * sizeof(uint64_t))
#define BOARD_MOST_LIVE	(1u << 20)	/* sessions, see rlimit_raise_descriptors() */
#define BOARD_NAME	128		/* bytes with the NUL */
#define BOARD_NO_SLOT	UINT32_MAX
#define BOARD_ENDS	64		/* reasons for a session's end */
#define BOARD_DOWNS	UINT32_C(0xffff)

#define WORKER_STATES(X) X(FREE) X(STARTING) X(READY) X(CLOSING) \
	X(DRAINING)

enum worker_state {
#define X(name) WORKER_##name,
	WORKER_STATES(X)
#undef X
};

/*
 * One worker. Written by that worker alone, or by the master while no process
 * holds the slot. Totals continue when a worker is respawned.
 */
struct board_worker {
	_Alignas(64)
	_Atomic uint32_t state;		/* enum worker_state */
	_Atomic uint32_t live;		/* sessions now */
	_Atomic uint64_t heartbeat;	/* clock_now_ms() of the last loop turn */
	/* The time up to which it has handled all events; see board_saw(). */
	_Atomic uint64_t seen;
	_Atomic uint32_t ending;	/* ended, but not closed yet */
	_Atomic uint64_t total;		/* sessions ever accepted */
	/* bytes to servers, to clients */
	_Atomic uint64_t bytes_up, bytes_down;
	_Atomic uint64_t retries;	/* attempts after the first */
	_Atomic uint64_t lost;		/* sessions lost with a worker */
	_Atomic uint64_t pauses;	/* times it stopped accepting */
	_Atomic uint64_t log_lost;	/* lost lines of logs */
	_Atomic uint64_t ends[BOARD_ENDS];	/* by enum session_end */
	_Atomic uint64_t spared[BOARD_ENDS];	/* dry_run let in, likewise */
	struct shuttle_counts shuttles;	/* written by that worker */
};

/* Whether a server is usable, according to its checks. */
#define SERVER_HEALTHS(X) X(UNKNOWN) X(UP) X(DOWN)

enum server_health {
#define X(name) HEALTH_##name,
	SERVER_HEALTHS(X)
#undef X
};

/* The results of sessions with one server; any worker writes. */
struct board_server {
	_Alignas(64)
	_Atomic uint64_t ejected_until;	/* clock_now_ms() value, or 0 */
	_Atomic uint64_t failures;	/* attempts that failed */
	_Atomic uint64_t served;	/* sessions it answered */
	_Atomic uint64_t recent;	/* recent failures: see server.c */
	_Atomic uint64_t last_ejected_until;	/* end of the last ejection */
	_Atomic uint32_t ejections;	/* consecutive ones */
	_Atomic uint64_t lacking;	/* do not connect: see server.c */
};

/* The results of checks; the prober alone writes, and workers cannot. */
struct board_book {
	_Alignas(64)
	_Atomic uint32_t health;	/* enum server_health */
	/* Times it went down; above BOARD_DOWNS the number of former owners. */
	_Atomic uint32_t downs;
	/* clock_now_ms() of the last change; 0: up from the beginning. */
	_Atomic uint64_t changed;
	_Atomic uint64_t checks, check_failures;
	_Atomic uint32_t check_ms;	/* duration of the last check */
	/*
	 * Its address: the prober writes it for a name, the master for a new
	 * slot.
	 */
	struct board_addr resolved;
};

/* Tiers of servers, in the order of use. */
enum { TIER_PRIMARY, TIER_BACKUP, TIER_BOTH, TIERS };

/* One pool; any worker writes the tickets and the state of the queue. */
struct board_pool {
	_Alignas(64)
	/* Of weights and tiers; the prober writes. */
	_Atomic uint32_t version;
	_Alignas(64)
	_Atomic uint64_t queue_tail;	/* the last ticket drawn */
	_Atomic uint32_t waiting;	/* 0: queue empty */
	_Atomic uint32_t guesses;	/* all seem to fail: see wait_queue.c */
	/* Positions drawn from the round-robin sequence. */
	struct {
		_Alignas(64) _Atomic uint64_t ticket;
	} tier[TIERS];
};

/* One listener with a name. */
struct board_listener {
	_Alignas(64)
	struct rate	 rate;		/* of sessions; any worker writes */
};

/*
 * The waiting sessions of one worker in one pool; written by that worker alone.
 */
struct board_wait {
	_Atomic uint64_t ticket;	/* of the oldest; 0: queue empty */
	_Atomic uint32_t n;
};

/* A cache line of its own before the parts that any process may write. */
struct board_head {
	_Alignas(64)
	_Atomic uint32_t changes;	/* of health, sites; prober writes */
	/*
	 * 1: its worker counts clients; set by that worker, cleared by the
	 * master.
	 */
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
 * The cells of one worker, which writes them alone. The padding allows readers
 * to read whole cache lines, and spreads the rows of many workers over the sets
 * of the cache.
 */
struct board_row {
	_Alignas(64)
	_Atomic uint32_t live[BOARD_SERVER_SLOTS]; /* sessions, by server */
	_Atomic uint32_t present[BOARD_LISTENERS + 16];	/* by listener */
	struct board_wait wait[BOARD_POOLS];
	/* In the private copy: a bucket of clients was full, rightly or not. */
	_Atomic uint32_t crowded;
	uint32_t	 padding[15];
};

/* The owner of a slot. */
struct board_slot {
	char		 name[BOARD_NAME];
	uint64_t	 hash;		/* of the name; 0: never taken */
	uint64_t	 generation;	/* the last one that has it */
	uint64_t	 where;		/* hash of a server's address; 0: none */
};

/* The process that holds a worker slot. */
struct board_process {
	_Atomic int32_t	 pid;		/* 0: free */
	_Atomic uint32_t stopped;	/* by SIGSTOP */
	_Atomic uint32_t generation;	/* of the configuration it runs */
};

/* The first pages; only a master writes. During an upgrade there are two. */
struct board_ledger {
	uint64_t	 magic;
	uint32_t	 version;
	uint32_t	 rows;		/* room for workers */
	uint64_t	 seed[2];	/* random, for the hashes of clients */
	_Atomic uint32_t worker_slots;	/* slots in use are below this */
	_Atomic uint32_t generation;	/* the latest one */
	_Atomic uint32_t leaving;	/* 1 after QUIT: a new master serves */
	_Atomic uint32_t stopping;	/* 1 after TERM: all sessions end */
	_Atomic uint32_t outdated;	/* up to this one: end drains soon */
	/* Number of slots ever used: above it all are empty. */
	_Atomic uint32_t servers, pools, listeners;
	struct board_process process[BOARD_WORKERS];
	struct board_slot pool[BOARD_POOLS];
	struct board_slot server[BOARD_SERVER_SLOTS];
	struct board_slot listener[BOARD_LISTENERS];
};

struct slot_index;

/*
 * Addresses of the parts, in private memory: a compromised worker can write
 * numbers on the board, but cannot move what they belong to.
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
	uint32_t	 rows;		/* room for workers */
	size_t		 size;		/* of all of it */
	int		 reader;	/* read-only fd of the ledger, or -1 */
	struct board_row *own;		/* private copy of the row, or NULL */
	struct slot_index *index[3];	/* for the master, see board_slot.c */
};

/*
 * Creates a board with room for *workers*, rounded up; memory is used only
 * where a worker has a slot. It lives until the last process unmaps it. *fd,
 * unless NULL, becomes a descriptor to pass on, which the caller closes. NULL
 * with errno set.
 */
struct board *board_new(uint32_t workers, int *fd);

/* The address space that a board takes, in bytes. */
size_t	board_bytes(uint32_t workers);

/*
 * Maps a board that another program has created. NULL with errno set: EINVAL if
 * it is not a board, has another layout, or is inconsistent.
 */
struct board *board_adopt(int fd);

void	board_free(struct board *);

/*
 * Makes the ledger read-only for this process, and in a worker also the book of
 * the servers. For the child of a fork. 0, or -1 with errno set.
 */
int	board_leave_ledger(struct board *, bool worker);

/* The signal that wakes a worker, and its name among system calls. */
#define BOARD_WAKEUP	SIGURG

/*
 * Wakes this worker; the ledger names its process. A process of another user
 * cannot be woken; it looks after some milliseconds by itself.
 */
void	board_wake(const struct board *, uint32_t worker);

/*
 * Wakes all workers, after the prober has changed something they may wait for.
 */
void	board_wake_all(const struct board *);

/* FNV-1a (Fowler, Noll, Vo), never 0: saves comparing all names. */
uint64_t board_hash(const char *name);

/*
 * Returns the slot of the server, pool or listener called *name*: its present
 * one, or else one without a user since generation *oldest*, which is cleared
 * first. The slot is kept for *generation*. A server has one slot for each
 * address, of which *where* is a hash, because sessions at another address are
 * not on this server. BOARD_NO_SLOT: all are taken, or out of memory. For the
 * master.
 */
uint32_t board_assign_server(struct board *, const char *name, uint64_t where,
	    uint64_t generation, uint64_t oldest);
uint32_t board_assign_pool(struct board *, const char *name,
	    uint64_t generation, uint64_t oldest);
uint32_t board_assign_listener(struct board *, const char *name,
	    uint64_t generation, uint64_t oldest);

/* Ends the assignment of slots for a generation and frees its index. */
void	board_end_assigning(struct board *);

/* Checks the used slots of an adopted board for consistency. */
bool	board_slots_are_sound(const struct board_slot *, uint32_t used,
	    uint32_t room);

/* Sessions that *worker* has on *server*; written by that worker alone. */
static inline _Atomic uint32_t *
board_live(const struct board *b, uint32_t worker, uint32_t server)
{
	return &b->row[worker].live[server];
}

/*
 * The sessions of *worker* on this listener, or on all; and, in a table of
 * BOARD_CLIENTS entries, by client: see concurrency.h.
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

/* The sessions of *worker* that wait for the pool in this slot. */
static inline struct board_wait *
board_wait(const struct board *b, uint32_t worker, uint32_t pool)
{
	return &b->row[worker].wait[pool];
}

/*
 * Clears the row of a worker. Returns the number of cells that were not zero,
 * without those of clients.
 */
uint32_t board_clear_row(const struct board *, uint32_t worker);
void	board_forget_clients(const struct board *, uint32_t worker);

/*
 * Assigns *worker* to this process, which from now on keeps a private copy of
 * its row; both begin empty. 0, or -1 with ENOMEM.
 */
int	board_keep_row(struct board *, uint32_t worker);

/*
 * Restores the row from the private copy, and clears the free rows between it
 * and the worker before it. Returns the number of wrong cells: a process has
 * written to the row of another.
 */
uint32_t board_mend_row(const struct board *, uint32_t worker);

/* Worker slots in use are below this. */
uint32_t board_worker_slots(const struct board *);

/*
 * Assigns the slot to a process of this generation until board_reclaim(). For
 * the master.
 */
void	board_hold(struct board *, uint32_t worker, int32_t pid,
	    uint32_t generation);

/*
 * board_is_held(): a process holds this slot. The other: its heartbeat is at
 * most *ms* before now. A heartbeat ahead of every clock was written by another
 * process.
 */
bool	board_is_held(const struct board *, uint32_t worker);
bool	board_beats(const struct board *, uint32_t worker, uint64_t now,
	    uint64_t ms);

/* True if it has handled all events that it could know *since* that time. */
bool	board_saw(const struct board *, uint32_t worker, uint64_t since,
	    uint64_t now);

/* Sums over all workers, past ones included. */
struct board_totals {
	uint64_t	sessions, lost;
	uint64_t	bytes_up, bytes_down; /* bytes to servers, to clients */
};

void	board_sum(const struct board *, struct board_totals *);

/*
 * Another server takes this slot: clears the results of the one before and
 * starts with this health.
 */
void	board_renew(struct board *, uint32_t slot, enum server_health);

/* The oldest generation that has workers, or else the latest. */
uint32_t board_oldest(const struct board *);

/* Sessions on *server* over all workers. */
uint32_t board_server_live(const struct board *, uint32_t server);

/*
 * Releases all that a dead worker held, and its slot. Returns the number of
 * lost sessions. For the master, after it has reaped the process.
 */
uint32_t board_reclaim(struct board *, uint32_t worker);

enum server_health board_health(const struct board_book *);

const char *board_worker_state_name(enum worker_state);
const char *board_server_health_name(enum server_health); /* in lower case */

/*
 * Repeats a write to the row of this worker in its private copy. Every writer
 * of a cell that other processes use for limits calls this.
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
