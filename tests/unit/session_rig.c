/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_rig.c: sets up what a worker would, and turns the loop. Knows nothing
 * of what sessions do.
 */
#include "session_rig.h"

#include <sys/ioctl.h>

#include "board/concurrency.h"
#include "session/access_log_format.h"
#include "proto/proxyproto.h"
#include "upstream/wait_queue.h"
#include "session/session_log.h"
#include "upstream/preconnect.h"
#include "sys/clock.h"

struct rig_faults rig_faults;
uint64_t rig_clock = 1000000;

/* True when this call is to fail. */
static bool
fails(int *left, int err)
{
	if (*left <= 0)
		return false;
	--*left;
	errno = err;
	return true;
}

int
__wrap_socket(int family, int type, int protocol)
{
	return fails(&rig_faults.sockets, rig_faults.socket_error) ? -1 :
	    __real_socket(family, type, protocol);
}

int
__wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	const struct sockaddr_in *in = (const void *)sa;

	if (rig_faults.connect_port != 0 &&
	    (sa->sa_family != AF_INET ||
	    in->sin_port != rig_faults.connect_port))
		return __real_connect(fd, sa, len);
	return fails(&rig_faults.connects, rig_faults.connect_error) ? -1 :
	    __real_connect(fd, sa, len);
}

ssize_t
__wrap_recv(int fd, void *buf, size_t len, int flags)
{
	if (rig_faults.recv_error == 0 || fd != rig_faults.recv_fd)
		return __real_recv(fd, buf, len, flags);
	errno = rig_faults.recv_error;
	rig_faults.recv_error = 0;
	return -1;
}

ssize_t
__wrap_send(int fd, const void *buf, size_t len, int flags)
{
	if (rig_faults.send_most > 0 && len > rig_faults.send_most)
		len = rig_faults.send_most;
	if (rig_faults.send_error == 0 || fd != rig_faults.send_fd)
		return __real_send(fd, buf, len, flags);
	errno = rig_faults.send_error;
	rig_faults.send_error = 0;
	return -1;
}

uint64_t
__wrap_clock_now_ms(void)
{
	return rig_clock;
}

void
rig_start(struct rig *r, uint32_t sessions, uint32_t blocks, size_t size)
{
	struct session_env *e = &r->env;
	int i;

	memset(r, 0, sizeof(*r));
	memset(&rig_faults, 0, sizeof(rig_faults));
	r->before = open_descriptors();
	r->blocks = blocks;
	for (i = 0; i < RIG_SERVERS; i++)
		r->listener[i] = -1;
	make_dir(r->dir, sizeof(r->dir));
	snprintf(r->log, sizeof(r->log), "%s/log", r->dir);
	assert_int_equal(table_init(&e->table, sessions, RIG_DESCRIPTORS), 0);
	r->route.name = "front";
	e->lines.format = access_log_format_new("text", NULL, 0);
	e->lines.errors = true;
	e->lines.every = 1;
	r->route.limits.fin_timeout = 60000;
	r->route.limits.proxy_header_timeout = 5000;
	r->pool.connect_timeout = 5000;
	r->pool.attempts = 3;
	r->pool.queue_timeout = 5000;
	r->pool.max_queue = 100;
	r->pool.max_fails = 1;
	r->pool.fail_timeout = 10000;
	r->pool.eject_time = 2000;
	r->pool.max_ejected_percent = 100;
	e->now = clock_now_ms();
	e->route = &r->route;
	e->servers = &r->servers;
	e->poller = poller_new(poller_engine("select"), RIG_DESCRIPTORS);
	e->timers = timer_new(sessions, e->now);
	e->log = log_open(r->log, LOG_DEBUG);
	e->kit.pool = bufpool_new(blocks, size);
	e->kit.scratch = malloc(size);
	e->notes = bufpool_new(sessions, PROXYPROTO_MAX);
	assert_true(e->lines.format != NULL && e->poller != NULL && e->timers != NULL &&
	    e->log != NULL && e->kit.pool != NULL && e->kit.scratch != NULL &&
	    e->notes != NULL);
	log_ident(e->log, "rig");
	r->servers.list = r->list;
	r->servers.pool = &r->pool;
	r->servers.pools = 1;
	r->servers.worker = 2;
}

int
rig_add_server(struct rig *r)
{
	int i = (int)r->servers.n++;
	struct server *b = &r->list[i];

	assert_true(i < RIG_SERVERS);
	r->listener[i] = loopback_listen(&b->addr.in, 100);
	set_nonblocking(r->listener[i]);
	b->addr.len = sizeof(b->addr.in);
	snprintf(b->name, sizeof(b->name), "%c", 'a' + i);
	b->weight = 1;
	b->egress.watch.keepalive = 1;
	b->slot = (uint32_t)i;
	r->pool.n++;
	return i;
}

void
rig_refuse(struct rig *r, int server)
{
	const struct addr *a = &r->list[server].addr;
	int fd = r->listener[server], on = 1;

	/* The port stays ours, so that nobody else can come to listen on it. */
	close(fd);
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	MUST(bind(fd, &a->sa, a->len));
	set_nonblocking(fd);
	r->listener[server] = fd;
}

struct preconnects *
rig_preconnect(const struct rig *r)
{
	return preconnect_new(&(struct preconnect_env){ .servers = &r->servers,
	    .poller = r->env.poller, .log = r->env.log,
	    .descriptors = RIG_DESCRIPTORS, .now = &r->env.now });
}

void
rig_ready(struct rig *r)
{
	r->board = board_new(16, NULL);
	assert_non_null(r->board);
	atomic_store(&r->board->ledger->worker_slots, r->board->rows);
	r->servers.board = r->board;
	r->env.board = &r->board->worker[r->servers.worker];
	r->env.kit.counts = &r->env.board->shuttles;
	r->env.balance = balance_new(&r->servers);
	r->env.preconnects = rig_preconnect(r);
	r->env.queue = wait_queue_new(&r->servers, r->env.table.limit);
	assert_true(r->env.balance != NULL && r->env.preconnects != NULL &&
	    r->env.queue != NULL);
}

static bool
is_clean(struct rig *r)
{
	uint32_t i;

	for (i = 0; i < r->servers.n; i++)
		if (board_server_live(r->board, i) != 0)
			return false;
	if (concurrency_count(r->board, BOARD_EVERYBODY) != 0 ||
	    concurrency_count(r->board, 0) != 0)
		return false;
	return r->env.table.live == 0 && r->env.board->live == 0 &&
	    bufpool_left(r->env.kit.pool) == r->blocks &&
	    bufpool_left(r->env.notes) == r->env.table.limit;
}

int
rig_stop(struct rig *r)
{
	struct session_env *e = &r->env;
	bool clean = true;
	int i;

	if (r->board != NULL) {
		sessions_kill(e, END_STOP, true);
		clean = is_clean(r);
	}
	for (i = 0; i < RIG_SERVERS; i++)
		if (r->listener[i] != -1)
			close(r->listener[i]);
	session_env_free(e);
	board_free(r->board);
	poller_free(e->poller);
	log_close(e->log);
	remove_dir(r->dir);
	if (!clean || open_descriptors() != r->before) {
		print_error("left over: sessions, blocks, or %d descriptors\n",
		    open_descriptors() - r->before);
		return -1;
	}
	return 0;
}

/* Does any descriptor of this process have that connection's other end? */
static bool
is_accepted(int fd)
{
	int other;

	for (other = 0; other < 256; other++)
		if (leads_to(fd, other))
			return true;
	return false;
}

/*
 * A session's connection to a server that listens and has room for it is still
 * on its way, as it is for a second when the network loses a segment of it.
 */
static bool
connecting(const struct rig *r)
{
	const struct session *s;
	struct tcp_info info;
	int listener;
	uint32_t i;

	for (i = 0; i < r->env.table.used; i++) {
		s = &r->env.table.session[i];
		if (s->state == SESSION_FREE || s->attempts == 0 ||
		    !tcp_state(s->fd[SERVER], &info))
			continue;
		listener = r->listener[s->tried[s->attempts - 1]];
		if (info.tcpi_state == TCP_SYN_SENT ?
		    !queue_is_full(listener) :
		    info.tcpi_state == TCP_ESTABLISHED &&
		    !comes(listener, POLLIN, 0) &&
		    !is_accepted(s->fd[SERVER]))
			return true;
	}
	return false;
}

void
rig_turn(struct rig *r, int ms)
{
	struct session_env *e = &r->env;
	struct poller_event ev;
	int found = poller_wait(e->poller, ms);

	assert_true(found >= 0);
	if (found == 0 && ms > 0 && !r->stopped && !in_flight() &&
	    !connecting(r))
		rig_clock += (uint64_t)ms;
	sessions_turn(e, clock_now_ms());
	while (poller_next(e->poller, &ev))
		assert_true(sessions_event(e, &ev) ||
		    preconnect_event(e->preconnects, &ev));
	sessions_expire(e);
	sessions_cut(e);
	sessions_serve_queue(e);
	preconnect_turn(e->preconnects);
	session_log_turn(e);
}

void
rig_pass(struct rig *r, uint64_t ms)
{
	rig_clock += ms;
	rig_turn(r, 0);
}

void
rig_idle(struct rig *r)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	int i;

	for (i = 0; i < 5; i++)
		rig_turn(r, 2);
	if (!in_flight())
		return;
	while (in_flight() && clock_ms() < give_up)
		rig_turn(r, 2);
	for (i = 0; i < 5; i++)
		rig_turn(r, 2);
}

int
rig_client(struct rig *r)
{
	struct endpoint from;
	struct rig_faults keep = rig_faults;
	struct addr name;
	int p[2];

	/* The clock of the last turn may be old. */
	rig_turn(r, 0);
	memset(&rig_faults, 0, sizeof(rig_faults));
	tcp_pair(p);
	rig_faults = keep;
	name.len = sizeof(name.in6);
	MUST(getsockname(p[1], &name.sa, &name.len));
	endpoint_set(&from, &name);
	session_open(&r->env, p[0], &from, 0);
	return p[1];
}

int
rig_unix_client(struct rig *r)
{
	struct endpoint from = { .family = AF_UNIX };
	int p[2], room = 4096;

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    p));
	MUST(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)));
	session_open(&r->env, p[0], &from, 0);
	return p[1];
}

int
rig_server(struct rig *r, int server)
{
	int fd;

	TURN_UNTIL(r, comes(r->listener[server], POLLIN, 0));
	fd = (int)MUST(accept(r->listener[server], NULL, NULL));
	set_nonblocking(fd);
	watch_peer(fd);
	return fd;
}

ssize_t
rig_some(struct rig *r, int fd, void *buf, size_t len)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	int ms = 0;
	ssize_t n;

	do {
		rig_turn(r, ms);
		n = read(fd, buf, len);
		if (n != -1 || errno != EAGAIN)
			return n;
		ms = 1;
	} while (clock_ms() < give_up);
	errno = ETIME;
	return -1;
}

ssize_t
rig_read(struct rig *r, int fd, void *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		if ((n = rig_some(r, fd, (char *)buf + got, len - got)) == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

void
rig_expect(struct rig *r, int fd, const char *text)
{
	char got[256] = "";
	size_t len = strlen(text);
	int more;

	assert_true(len < sizeof(got));
	if (rig_read(r, fd, got, len) != (ssize_t)len)
		fail_msg("not \"%s\" but \"%s\": %s", text, got,
		    strerror(errno));
	assert_string_equal(got, text);
	/* Not by recv(), which would take an error away. */
	MUST(ioctl(fd, FIONREAD, &more));
	assert_int_equal(more, 0);
}

void
rig_expect_end(struct rig *r, int fd)
{
	char c;
	ssize_t n = rig_read(r, fd, &c, 1);

	if (n != 0)
		fail_msg("no end of file: %s", n == -1 ? strerror(errno) :
		    "a byte");
}

void
rig_expect_reset(struct rig *r, int fd)
{
	char c;

	assert_int_equal(rig_read(r, fd, &c, 1), -1);
	assert_int_equal(errno, ECONNRESET);
}

void
rig_write(struct rig *r, int fd, const char *text)
{
	write_text(fd, text);
	rig_turn(r, 0);
}

void
rig_abort(int fd)
{
	struct linger now = { .l_onoff = 1 };

	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	close(fd);
}

const char *
rig_log(struct rig *r)
{
	static char text[1 << 18];
	int fd;

	log_flush(r->env.log);
	fd = (int)MUST(open(r->log, O_RDONLY));
	read_text(fd, text, sizeof(text));
	close(fd);
	return text;
}

struct session *
rig_any_session(struct rig *r)
{
	uint32_t i;

	for (i = 0; i < r->env.table.used; i++)
		if (r->env.table.session[i].state != SESSION_FREE)
			return &r->env.table.session[i];
	return NULL;
}

struct session *
rig_session(struct rig *r)
{
	struct session *s = rig_any_session(r);

	if (s == NULL)
		fail_msg("no session is left; the log: %s", rig_log(r));
	return s;
}

uint64_t
rig_ends(struct rig *r, enum session_end end)
{
	return r->env.board->ends[end];
}

void
rig_ended(struct rig *r, enum session_end end)
{
	char want[40];

	TURN_UNTIL(r, r->env.table.live == 0);
	snprintf(want, sizeof(want), " end=%s\n", session_end_name(end));
	if (strstr(rig_log(r), want) == NULL)
		fail_msg("no \"%s\" in: %s", want, rig_log(r));
	assert_int_equal(rig_ends(r, end), 1);
	assert_int_equal(board_server_live(r->board, 0), 0);
}

void
rig_unique_id(struct rig *r, char id[SESSION_ID])
{
	const struct session *s = rig_session(r);

	session_unique_id(r->env.seed, s->started, s->number, id);
}

void
rig_hang_up(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}
