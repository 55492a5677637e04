/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * make_schema.c: prints the JSON Schema (draft 07) of a configuration file. It
 * is made of the table of directives alone, for editors that complete and check
 * YAML: what they call a number or a truth is a text to shuttled, so each value
 * may be written either way.
 */
#include <stdio.h>
#include <string.h>

#include "config/conf_sections.h"
#include "config/directives.h"
#include "config/settings.h"

#define TEXT	"\"type\": [\"string\", \"number\", \"boolean\"]"

static void
put_text(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++)
		printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	putchar('"');
}

/* The words of a list, each by *put*, separated. A word may end in ":N". */
static void
put_words(const char *words, void (*put)(const char *))
{
	char copy[256], *rest = copy, *word;
	const char *comma = "";

	strlcpy(copy, words, sizeof(copy));
	while ((word = strsep(&rest, ",")) != NULL) {
		fputs(comma, stdout);
		put(word + strspn(word, " "));
		comma = ", ";
	}
}

static void
put_word(const char *word)
{
	size_t n = strcspn(word, ":");

	if (strcmp(word + n, ":N") == 0)
		printf("{ \"type\": \"string\", \"pattern\": "
		    "\"^%.*s:[1-9][0-9]*$\" }", (int)n, word);
	else {
		fputs("{ \"const\": ", stdout);
		put_text(word);
		fputs(" }", stdout);
	}
}

static void
put_number(const struct directive *d)
{
	printf("\"anyOf\": [{ \"type\": \"integer\", \"minimum\": %lld, "
	    "\"maximum\": %lld }, { \"type\": \"string\", \"pattern\": "
	    "\"^[0-9]+$\" }", d->min, d->max);
	if (d->words != NULL) {
		fputs(", ", stdout);
		put_words(d->words, put_word);
	}
	fputs("]", stdout);
}

static void
put_type(const struct directive *d)
{
	switch (d->type) {
	case TYPE_NUMBER:
		put_number(d);
		break;
	case TYPE_TIME:
		printf("\"anyOf\": [%s{ \"type\": \"string\", \"pattern\": "
		    "\"^([0-9]+(ms|s|m|h)%s)$\" }]", d->min == 0 ?
		    "{ \"const\": 0 }, " : "", d->min == 0 ? "|off|0" : "");
		break;
	case TYPE_SIZE:
		printf("\"anyOf\": [{ \"type\": \"integer\", \"minimum\": 0, "
		    "\"maximum\": %lld }, { \"type\": \"string\", \"pattern\": "
		    "\"^(off|[0-9]+[kmg]?)$\" }]", d->max);
		break;
	case TYPE_BOOL:
		fputs("\"enum\": [true, false, \"true\", \"false\"]", stdout);
		break;
	case TYPE_WORD:
		fputs("\"enum\": [", stdout);
		put_words(d->words, put_text);
		fputs("]", stdout);
		break;
	case TYPE_TEXT:
	case TYPE_FORMAT:
		printf(TEXT ", \"minLength\": %lld, \"maxLength\": %lld",
		    d->min, d->max);
		break;
	case TYPE_ADDRESSES:
	case TYPE_NETWORKS:
		fputs("\"anyOf\": [{ " TEXT " }, { \"type\": \"array\", "
		    "\"minItems\": 1, \"items\": { " TEXT " } }]", stdout);
		break;
	default:
		fputs(TEXT, stdout);
		break;
	}
}

static void
put_schema(const struct directive *d)
{
	char takes[DIRECTIVE_WHY], what[2 * DIRECTIVE_WHY];
	/* A build with instruments has another one. */
	const char *fallback = strcmp(d->name, "sandbox") == 0 ? "on" :
	    d->fallback;

	snprintf(what, sizeof(what), "%s; %s%s", directive_takes(d, takes,
	    sizeof(takes)), fallback != NULL ? "default " :
	    directive_inherits(d) != NULL ? "default: as at the top" :
	    "no default", fallback != NULL ? fallback : "");
	fputs("{ \"description\": ", stdout);
	put_text(what);
	fputs(", ", stdout);
	put_type(d);
	fputs(" }", stdout);
}

static void
put_directive(const char *name, const struct directive *d, int depth)
{
	printf("%*s", depth, "");
	put_text(name);
	fputs(": ", stdout);
	put_schema(d);
}

/* Its name in the map `check` of a pool. NULL: it is not there. */
static const char *
name_in_check(const struct directive *d)
{
	if (conf_sections_check("type") == d)
		return "type";
	if (conf_sections_check(d->name) == d)
		return d->name;
	if (strncmp(d->name, "check_", 6) == 0 &&
	    conf_sections_check(d->name + 6) == d)
		return d->name + 6;
	return NULL;
}

/* The check of a pool is a word, or a map of all about checks. */
static void
put_check(const struct directive *check)
{
	const struct directive *d;
	const char *name, *comma = "";
	size_t n;

	fputs("        \"check\": { \"anyOf\": [", stdout);
	put_schema(check);
	puts(", {\n          \"type\": \"object\", \"minProperties\": 1, "
	    "\"additionalProperties\": false,\n          \"properties\": {");
	for (d = directives(&n); n > 0; d++, n--)
		if (d->section == SECTION_POOL &&
		    (name = name_in_check(d)) != NULL) {
			fputs(comma, stdout);
			put_directive(name, d, 12);
			comma = ",\n";
		}
	fputs("\n          } }] }", stdout);
}

/* All of such a section, each but the last with a comma. */
static void
put_directives(enum section_kind kind, int depth)
{
	const struct directive *d;
	const char *comma = "";
	size_t n;

	for (d = directives(&n); n > 0; d++, n--) {
		if (d->section != kind)
			continue;
		fputs(comma, stdout);
		if (kind == SECTION_POOL && strcmp(d->name, "check") == 0)
			put_check(d);
		else
			put_directive(d->name, d, depth);
		comma = ",\n";
	}
}

/* A map of sections: each has a name and is as defined. */
static void
put_sections(enum section_kind kind, int depth)
{
	const char *word = section_word(kind);

	printf(",\n%*s\"%s\": { \"type\": [\"object\", \"null\"], "
	    "\"propertyNames\": { \"pattern\": \"^[A-Za-z0-9_.-]{1,%d}$\" }, "
	    "\"additionalProperties\": { \"$ref\": \"#/definitions/%s\" } }",
	    depth, "", word, SETTINGS_NAME_IN_FILE, word);
}

static void
put_definition(enum section_kind kind, const char *required)
{
	printf("    \"%s\": {\n      \"type\": %s,\n"
	    "      \"additionalProperties\": false,\n", section_word(kind),
	    required[0] == '\0' ? "[\"object\", \"null\"]" : "\"object\"");
	if (required[0] != '\0')
		printf("      \"required\": [\"%s\"],\n", required);
	puts("      \"properties\": {");
	put_directives(kind, 8);
	if (kind == SECTION_POOL)
		put_sections(SECTION_SERVER, 8);
	fputs("\n      }\n    }", stdout);
}

int
main(void)
{
	puts("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
	    "  \"title\": \"shuttled.yaml\",\n"
	    "  \"description\": \"Configuration of shuttled, see "
	    "shuttled.yaml(5)\",\n"
	    "  \"type\": [\"object\", \"null\"],\n"
	    "  \"additionalProperties\": false,\n"
	    "  \"properties\": {\n"
	    "    \"include\": { \"description\": \"files to read after this "
	    "one, names or patterns\", \"anyOf\": [{ \"type\": \"string\" }, "
	    "{ \"type\": \"array\", \"minItems\": 1, \"items\": "
	    "{ \"type\": \"string\" } }] },");
	put_directives(SECTION_TOP, 4);
	put_sections(SECTION_LIMIT, 4);
	put_sections(SECTION_LISTEN, 4);
	put_sections(SECTION_POOL, 4);
	puts("\n  },\n  \"definitions\": {");
	put_definition(SECTION_LIMIT, "");
	puts(",");
	put_definition(SECTION_LISTEN, "address");
	puts(",");
	put_definition(SECTION_POOL, "server");
	puts(",");
	put_definition(SECTION_SERVER, "address");
	puts("\n  }\n}");
	return 0;
}
