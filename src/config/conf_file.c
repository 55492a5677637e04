/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_file.c: finds the files of a configuration: one, those of a directory,
 * and all that they include. Each is read whole and once, then parsed from
 * memory.
 */
#include "config/conf_file.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/conf_sections.h"
#include "config/conf_yaml.h"
#include "sys/file_text.h"

#define PATH_BYTES	4096
#define ENDING		".yaml"
#define INPUT		"/dev/stdin"

/* Maxima of nested and of all files, beyond any use. */
#define DEPTH		10
#define FILES		1000

/* Shared by all files of one -c. */
struct tree {
	struct settings	*settings;
	struct diagnostics *diagnostics;
	bool		 from_pipe;	/* /dev/stdin may be a pipe */
	unsigned	 files;
	struct conf_bounds bounds;
};

/* A file, with the files that include it. */
struct source {
	struct tree	*tree;
	const struct source *outer;	/* NULL: none */
	const char	*path;
	char		 directory[PATH_BYTES];
	dev_t		 dev;
	ino_t		 ino;
	unsigned	 depth;
};

static int	read_one_file(struct tree *, const struct source *,
		    const char *path);

/* True if it includes itself, directly or through other files. */
static bool
is_file_open(const struct source *s, const struct stat *st)
{
	for (; s != NULL; s = s->outer)
		if (s->dev == st->st_dev && s->ino == st->st_ino)
			return true;
	return false;
}

/* 0, or -1: the error, or those in the file, were reported. */
static int
include_file(const struct source *s, const struct conf_reading *r,
    const struct yaml_node *node, const char *path)
{
	struct stat st;
	const char *name = path;

	if (strncmp(path, s->directory, strlen(s->directory)) == 0)
		name += strlen(s->directory) + 1;
	if (stat(path, &st) == -1)
		conf_sections_reject(r, node, "include %s: %s", name,
		    strerror(errno));
	else if (S_ISDIR(st.st_mode))
		conf_sections_reject(r, node, "include %s: this is a "
		    "directory; its files are %s/*" ENDING, name, name);
	else if (is_file_open(s, &st))
		conf_sections_reject(r, node, "include %s: this file includes "
		    "itself here", name);
	else if (s->depth == DEPTH)
		conf_sections_reject(r, node, "include %s: at most %d files "
		    "include each other", name, DEPTH);
	else if (s->tree->files == FILES)
		conf_sections_reject(r, node, "include %s: at most %d files "
		    "are included", name, FILES);
	else if (!S_ISREG(st.st_mode))
		conf_sections_reject(r, node, "include %s: %s", name,
		    file_text_why(ENXIO));
	else
		return read_one_file(s->tree, s, path);
	return -1;
}

/* Escapes the directory, so that only the file name is a pattern. */
static void
pattern_of(const struct source *s, const char *name, char *buf, size_t size)
{
	const char *c;
	size_t n = 0;

	buf[0] = '\0';
	for (c = s->directory; name[0] != '/' && *c != '\0' && n + 4 < size;
	    c++) {
		if (strchr("*?[\\", *c) != NULL)
			buf[n++] = '\\';
		buf[n++] = *c;
	}
	if (name[0] != '/')
		buf[n++] = '/';
	buf[n] = '\0';
	strlcat(buf, name, size);
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Finds all files of a pattern, perhaps none. */
static int
include_pattern(const struct source *s, const struct conf_reading *r,
    const struct yaml_node *node)
{
	char path[2 * PATH_BYTES];
	int status = 0;
	glob_t found;
	size_t i;

	pattern_of(s, node->text, path, sizeof(path));
	switch (glob(path, GLOB_NOSORT | (strpbrk(node->text, "*?[") == NULL ?
	    GLOB_NOCHECK : 0), NULL, &found)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		return 0;
	default:
		conf_sections_reject(r, node, "include %s: %s", node->text,
		    strerror(errno));
		return -1;
	}
	/* Bytewise, the same in every locale. */
	qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), by_bytes);
	for (i = 0; i < found.gl_pathc; i++)
		if (include_file(s, r, node, found.gl_pathv[i]) == -1)
			status = -1;
	globfree(&found);
	return status;
}

static int
include_one(const struct source *s, const struct conf_reading *r,
    const struct yaml_node *node)
{
	if (node->kind == YAML_TEXT && node->text[0] != '\0' && !node->bad)
		return include_pattern(s, r, node);
	conf_sections_reject(r, node, "include: should be the name of a file, "
	    "a pattern, or a list of them");
	return -1;
}

static int
include_all(const struct source *s, const struct conf_reading *r,
    const struct yaml_node *node)
{
	int status = 0;
	size_t i;

	if (node->kind != YAML_LIST || node->n == 0)
		return include_one(s, r, node);
	for (i = 0; i < node->n; i++)
		if (include_one(s, r, node->item[i]) == -1)
			status = -1;
	return status;
}

/*
 * Reads standard input, which can be read only once: not in a service that
 * reloads.
 */
static char *
input_text(const struct tree *t, const char *path, size_t *len,
    struct stat *st)
{
	if (!t->from_pipe || strcmp(path, INPUT) != 0 ||
	    fstat(STDIN_FILENO, st) == -1 || !S_ISFIFO(st->st_mode)) {
		errno = ENXIO;
		return NULL;
	}
	return file_text_of_pipe(STDIN_FILENO, len);
}

static int
read_config_text(struct source *s, const char *text, size_t len)
{
	struct conf_reading r = {
		.settings = s->tree->settings,
		.diagnostics = s->tree->diagnostics,
		.directory = s->directory,
		.bounds = &s->tree->bounds,
	};
	struct conf_yaml yaml;
	int status = 0;

	if ((r.file = settings_file(r.settings, s->path)) == NULL) {
		diagnostics_add(r.diagnostics, "%s", strerror(errno));
		return -1;
	}
	conf_yaml_parse(&yaml, text, len, r.file, r.diagnostics);
	if (yaml.root != NULL)
		conf_sections_read(&r, yaml.root);
	if (r.include != NULL)
		status = include_all(s, &r, r.include);
	if (!yaml.whole)
		status = -1;
	conf_yaml_free(&yaml);
	return status;
}

/* *path* is absolute and not a directory. */
static int
read_one_file(struct tree *t, const struct source *outer, const char *path)
{
	struct source s = { .tree = t, .outer = outer, .path = path,
	    .depth = outer == NULL ? 0 : outer->depth + 1 };
	struct place place = { .file = path };
	struct stat st;
	size_t len;
	char *text;
	int status;

	if ((text = file_text(path, &len, &st)) == NULL && errno == ENXIO)
		text = input_text(t, path, &len, &st);
	if (text == NULL) {
		diagnostics_add_at(t->diagnostics, &place, "%s",
		    file_text_why(errno));
		return -1;
	}
	t->files++;
	strlcpy(s.directory, path, sizeof(s.directory));
	*strrchr(s.directory, '/') = '\0';
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	status = read_config_text(&s, text, len);
	free(text);
	return status;
}

static int
is_own_include(const struct dirent *e)
{
	size_t len = strlen(e->d_name), ending = strlen(ENDING);

	return e->d_name[0] != '.' && len > ending &&
	    strcmp(e->d_name + len - ending, ENDING) == 0;
}

/* Bytewise, the same in every locale. */
static int
by_entry_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
read_directory(struct tree *t, const char *path)
{
	struct place place = { .file = path };
	struct dirent **entry;
	char file[PATH_BYTES];
	int i, n, status = 0;

	if ((n = scandir(path, &entry, is_own_include, by_entry_name)) == -1) {
		diagnostics_add_at(t->diagnostics, &place, "%s",
		    strerror(errno));
		return -1;
	}
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name);
		if (read_one_file(t, NULL, file) == -1)
			status = -1;
		free(entry[i]);
	}
	free(entry);
	if (n > 0)
		return status;
	diagnostics_add_at(t->diagnostics, &place, "there is no *" ENDING " in "
	    "this directory");
	return -1;
}

int
conf_file_read(struct settings *st, const char *path, bool from_pipe,
    struct diagnostics *cs)
{
	struct tree t = { .settings = st, .diagnostics = cs,
	    .from_pipe = from_pipe };
	struct stat sb;

	if (stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
		return read_directory(&t, path);
	return read_one_file(&t, NULL, path);
}
