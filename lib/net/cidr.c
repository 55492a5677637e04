/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cidr.c: networks, flattened when the list is built: ranges that do not
 * overlap, each with its verdict, in a search tree without pointers (the
 * children of place k are 2k and 2k + 1: Eytzinger 1590). Two networks are
 * disjoint or nested, so one walk over the sorted networks with a stack of the
 * enclosing ones makes the ranges. Invariant: the first range begins at 0, so
 * each address is in one.
 */
#include "net/cidr.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/cidr_network.h"

#define LONGEST		128		/* prefix, bits */
#define LINE		64		/* of a cache line, bytes */
#define DIGITS		17		/* bytes of prefix and address */

enum space { V4, V6, SPACES };

/* An address aligned to the left, so that both families compare alike. */
struct key {
	uint64_t	hi, lo;		/* IPv4: the upper half of *hi* */
};

struct rule {
	struct key	first;		/* address of the network */
	uint32_t	order;		/* the lowest decides */
	uint8_t		len;		/* of the prefix */
	uint8_t		verdict;
};

struct rules {
	struct rule	*rule;
	size_t		 n, room;
};

struct ranges {
	struct key	*first;		/* start of each range */
	uint8_t		*verdict;
	size_t		 n;
};

struct cidr {
	struct rules	 rules[SPACES];	/* until cidr_build() */
	uint32_t	 order;		/* of the next rule */
	uint8_t		 local;		/* verdict on unix sockets */
	struct ranges	 tree[SPACES];	/* from place 1 on */
	uint32_t	*first4;	/* tree[V4].first, a quarter as large */
};

struct cidr *
cidr_new(void)
{
	return calloc(1, sizeof(struct cidr));
}

void
cidr_free(struct cidr *c)
{
	int s;

	if (c == NULL)
		return;
	for (s = 0; s < SPACES; s++) {
		free(c->rules[s].rule);
		free(c->tree[s].first);
		free(c->tree[s].verdict);
	}
	free(c->first4);
	free(c);
}

static struct key
key_of_ipv4(const unsigned char *ip)
{
	uint32_t word;

	memcpy(&word, ip, sizeof(word));
	return (struct key){ (uint64_t)be32toh(word) << 32, 0 };
}

static struct key
key_of_ipv6(const unsigned char *ip)
{
	uint64_t word[2];

	memcpy(word, ip, sizeof(word));
	return (struct key){ be64toh(word[0]), be64toh(word[1]) };
}

/* *n* one bits from the left. */
static uint64_t
leading_ones(unsigned n)
{
	return n == 0 ? 0 : UINT64_MAX << (64 - n);
}

static struct key
prefix_mask(unsigned len)
{
	return (struct key){ leading_ones(len < 64 ? len : 64),
	    leading_ones(len < 64 ? 0 : len - 64) };
}

static bool
same_key(struct key a, struct key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

/* The address of the network that contains *k*. */
static struct key
masked_key(struct key k, unsigned len)
{
	struct key m = prefix_mask(len);

	return (struct key){ k.hi & m.hi, k.lo & m.lo };
}

/* The first address behind a network; 0 if there is none. */
static struct key
key_behind(const struct rule *r)
{
	struct key m = prefix_mask(r->len);
	uint64_t lo = (r->first.lo | ~m.lo) + 1;

	return (struct key){ (r->first.hi | ~m.hi) + (lo == 0), lo };
}

static int
append_rule(struct rules *rs, const struct rule *r)
{
	struct rule *more;
	size_t room = rs->room == 0 ? 16 : 2 * rs->room;

	if (rs->n == rs->room) {
		more = reallocarray(rs->rule, room, sizeof(*more));
		if (more == NULL)
			return -1;
		rs->rule = more;
		rs->room = room;
	}
	rs->rule[rs->n++] = *r;
	return 0;
}

static int
append_all(struct cidr *c, const struct rule *r)
{
	if (append_rule(&c->rules[V4], r) == -1 ||
	    append_rule(&c->rules[V6], r) == -1)
		return -1;
	if (c->local == CIDR_NONE)
		c->local = r->verdict;
	return 0;
}

int
cidr_append(struct cidr *c, const struct network *net, enum cidr_verdict v)
{
	struct rule r = { .order = c->order++, .len = (uint8_t)net->len,
	    .verdict = (uint8_t)v };

	assert(c->first4 == NULL);
	switch (net->family) {
	case AF_INET:
		r.first = key_of_ipv4(net->ip);
		return append_rule(&c->rules[V4], &r);
	case AF_INET6:
		r.first = key_of_ipv6(net->ip);
		return append_rule(&c->rules[V6], &r);
	case AF_UNIX:
		if (c->local == CIDR_NONE)
			c->local = r.verdict;
		return 0;
	default:
		return append_all(c, &r);
	}
}

/*
 * Byte *i* of the sort key of a rule, least significant first: prefix, address.
 */
static unsigned
sort_digit(const struct rule *r, unsigned i)
{
	return i == 0 ? r->len : (i <= 8 ? r->first.lo >> 8 * (i - 1) :
	    r->first.hi >> 8 * (i - 9)) & 0xff;
}

/* Stable counting sort by one digit; *at* has the count of each value. */
static void
distribute_rules(struct rule *to, const struct rule *from, size_t n, unsigned i,
    uint32_t at[256])
{
	uint32_t sum = 0, count;
	size_t k;

	for (k = 0; k < 256; k++) {
		count = at[k];
		at[k] = sum;
		sum += count;
	}
	for (k = 0; k < n; k++)
		to[at[sort_digit(&from[k], i)]++] = from[k];
}

/*
 * Sorts outer networks before inner ones, and equal ones as added: a radix sort
 * (Knuth, volume 3, 5.2.5), in a fraction of the time of qsort(3).
 */
static int
sort_rules(struct rules *rs)
{
	struct rule *from = rs->rule, *to, *other;
	uint32_t count[DIGITS][256] = { { 0 } };
	unsigned i;
	size_t k;

	if (rs->n == 0)
		return 0;
	if ((to = reallocarray(NULL, rs->n, sizeof(*to))) == NULL)
		return -1;
	for (k = 0; k < rs->n; k++)
		for (i = 0; i < DIGITS; i++)
			count[i][sort_digit(&from[k], i)]++;
	for (i = 0; i < DIGITS; i++) {
		if (count[i][sort_digit(&from[0], i)] == rs->n)
			continue;
		distribute_rules(to, from, rs->n, i, count[i]);
		other = from;
		from = to;
		to = other;
	}
	free(to);
	rs->rule = from;
	rs->room = rs->n;
	return 0;
}

/* From this address on, this verdict applies. */
static void
begin_range(struct ranges *t, struct key first, uint8_t verdict)
{
	if (t->n > 0 && same_key(t->first[t->n - 1], first))
		t->n--;
	if (t->n > 0 && t->verdict[t->n - 1] == verdict)
		return;
	t->first[t->n] = first;
	t->verdict[t->n++] = verdict;
}

/* The innermost open network ends here. */
static void
leave_network(struct ranges *t, const struct rule *const *in, size_t depth)
{
	struct key first = key_behind(in[depth - 1]);

	if (first.hi != 0 || first.lo != 0)
		begin_range(t, first, depth > 1 ? in[depth - 2]->verdict :
		    CIDR_NONE);
}

/*
 * *in* holds the open networks. Each is nested in the one before it and was
 * added earlier, or it would change nothing. So the last one decides.
 */
static void
flatten_rules(struct ranges *t, const struct rule *r, size_t n)
{
	const struct rule *in[LONGEST + 1];
	size_t depth = 0;

	begin_range(t, (struct key){ 0, 0 }, CIDR_NONE);
	for (; n > 0; r++, n--) {
		while (depth > 0 && !same_key(in[depth - 1]->first,
		    masked_key(r->first, in[depth - 1]->len)))
			leave_network(t, in, depth--);
		if (depth > 0 && in[depth - 1]->order < r->order)
			continue;
		in[depth++] = r;
		begin_range(t, r->first, r->verdict);
	}
	while (depth > 0)
		leave_network(t, in, depth--);
}

static int
new_ranges(struct ranges *t, size_t room)
{
	t->n = 0;
	t->first = reallocarray(NULL, room, sizeof(*t->first));
	t->verdict = reallocarray(NULL, room, sizeof(*t->verdict));
	return t->first == NULL || t->verdict == NULL ? -1 : 0;
}

static void
drop_ranges(struct ranges *t)
{
	free(t->first);
	free(t->verdict);
	memset(t, 0, sizeof(*t));
}

/* Ranges from *i* on become the tree below place *k*. Returns the next *i*. */
static size_t
plant_tree(struct ranges *tree, const struct ranges *t, size_t i, size_t k)
{
	if (k > t->n)
		return i;
	i = plant_tree(tree, t, i, 2 * k);
	tree->first[k] = t->first[i];
	tree->verdict[k] = t->verdict[i];
	return plant_tree(tree, t, i + 1, 2 * k + 1);
}

/* A network adds a range and splits another in two: at most 2n + 1. */
static int
make_tree(struct ranges *tree, struct rules *rs)
{
	struct ranges t;
	int rc = -1;

	if (new_ranges(&t, 2 * rs->n + 1) == 0 && sort_rules(rs) == 0) {
		flatten_rules(&t, rs->rule, rs->n);
		if ((rc = new_ranges(tree, t.n + 1)) == 0) {
			tree->n = t.n;
			plant_tree(tree, &t, 0, 1);
		}
	}
	drop_ranges(&t);
	return rc;
}

/* Half of the memory of the full keys would be zeros. */
static int
narrow_tree(struct cidr *c)
{
	struct ranges *t = &c->tree[V4];
	size_t k;

	c->first4 = reallocarray(NULL, t->n + 1, sizeof(*c->first4));
	if (c->first4 == NULL)
		return -1;
	for (k = 1; k <= t->n; k++)
		c->first4[k] = (uint32_t)(t->first[k].hi >> 32);
	free(t->first);
	t->first = NULL;
	return 0;
}

int
cidr_build(struct cidr *c)
{
	int s;

	assert(c->first4 == NULL);
	if (make_tree(&c->tree[V4], &c->rules[V4]) == -1 ||
	    make_tree(&c->tree[V6], &c->rules[V6]) == -1 ||
	    narrow_tree(c) == -1) {
		drop_ranges(&c->tree[V4]);
		drop_ranges(&c->tree[V6]);
		errno = ENOMEM;
		return -1;
	}
	for (s = 0; s < SPACES; s++) {
		free(c->rules[s].rule);
		memset(&c->rules[s], 0, sizeof(c->rules[s]));
	}
	return 0;
}

/* Prefetches the descendants of *k* that share one cache line. */
static void
prefetch_below(const void *first, size_t k)
{
	__builtin_prefetch((const void *)((uintptr_t)first + LINE * k));
}

/*
 * The last range that does not begin behind *ip*: the place of the last step to
 * the right. The steps are bits of *k* and not branches of the processor, which
 * would mispredict every other one.
 */
static size_t
search_ipv4(const uint32_t *first, size_t n, uint32_t ip)
{
	size_t k = 1;

	while (k <= n) {
		prefetch_below(first, k);
		k = 2 * k + (first[k] <= ip);
	}
	return k >> __builtin_ffsll((long long)k);
}

static size_t
search_ipv6(const struct key *first, size_t n, struct key ip)
{
	size_t k = 1;

	while (k <= n) {
		prefetch_below(first, k);
		k = 2 * k + ((first[k].hi < ip.hi) |
		    ((first[k].hi == ip.hi) & (first[k].lo <= ip.lo)));
	}
	return k >> __builtin_ffsll((long long)k);
}

enum cidr_verdict
cidr_find(const struct cidr *c, const struct endpoint *e)
{
	const struct ranges *t = c->tree;
	const unsigned char *ipv4 = endpoint_ipv4(e);

	assert(c->first4 != NULL);
	if (ipv4 != NULL)
		return t[V4].verdict[search_ipv4(c->first4, t[V4].n,
		    (uint32_t)(key_of_ipv4(ipv4).hi >> 32))];
	if (e->family == AF_INET6)
		return t[V6].verdict[search_ipv6(t[V6].first, t[V6].n,
		    key_of_ipv6(e->ip))];
	return c->local;
}

size_t
cidr_bytes(const struct cidr *c)
{
	const struct ranges *t = c->tree;

	return sizeof(*c) + (t[V4].n + 1) * (sizeof(*c->first4) + 1) +
	    (t[V6].n + 1) * (sizeof(*t->first) + 1);
}

/* The start of the range at this place of a tree. */
static struct key
first_of(const struct cidr *c, int space, size_t k)
{
	if (space == V4)
		return (struct key){ (uint64_t)c->first4[k] << 32, 0 };
	return c->tree[space].first[k];
}

uint64_t
cidr_hash(const struct cidr *c)
{
	const uint64_t prime = UINT64_C(0x100000001b3);
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ c->local;
	struct key first;
	size_t k;
	int s;

	for (s = 0; s < SPACES; s++)
		for (k = 1; k <= c->tree[s].n; k++) {
			first = first_of(c, s, k);
			h = (h ^ first.hi) * prime;
			h = (h ^ first.lo) * prime;
			h = (h ^ c->tree[s].verdict[k]) * prime;
			h ^= h >> 29;
		}
	return h == 0 ? 1 : h;
}

bool
cidr_has(const struct cidr *c, enum cidr_verdict v)
{
	int s;

	for (s = 0; s < SPACES; s++)
		if (memchr(c->tree[s].verdict + 1, (int)v, c->tree[s].n) !=
		    NULL)
			return true;
	return c->local == v;
}
