/*
 * Write a Chiton tool in C: a table of tools and one function each. README.md beside this file is the guide.
 *
 * Every call runs in a fresh instance, so nothing has to be freed: what this header gives away lives until the call
 * ends. A function that can fail gives NULL or false and keeps the reason; `return false` then passes it on.
 */
#ifndef CHITON_TOOL_H
#define CHITON_TOOL_H

#include "cjson/cJSON.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a call of a tool may do. What is not declared is not allowed, whatever is granted. */
enum chiton_effect {
    CHITON_READS_FILES = 1 << 0,
    CHITON_WRITES_FILES = 1 << 1,
    CHITON_USES_NETWORK = 1 << 2,
    CHITON_RUNS_PROGRAMS = 1 << 3,
    CHITON_SENDS_MESSAGES = 1 << 4,
    CHITON_SCHEDULES = 1 << 5,
    CHITON_SPAWNS = 1 << 6,
    CHITON_DESTRUCTIVE = 1 << 7,
};

/* One tool, as it is shown to the model. */
typedef struct {
    const char *name;        /* [a-zA-Z0-9_-], unique among all tools of the bot */
    const char *description; /* what it does and when to use it */
    const char *parameters;  /* a JSON Schema with "type": "object"; the host checks arguments against it */
    unsigned effects;        /* of enum chiton_effect, joined with | */
    /* Runs the tool: adds parts to the result and gives true, or keeps the reason and gives false. */
    bool (*run)(const cJSON *arguments);
} chiton_tool;

/* The tools of this component: CHITON_TOOLS({ "name", "description", "{...}", 0, function }, ...) */
#define CHITON_TOOLS(...)                                                                                              \
    const chiton_tool chiton_tools[] = {__VA_ARGS__};                                                                  \
    const size_t chiton_tools_length = sizeof chiton_tools / sizeof chiton_tools[0]

extern const chiton_tool chiton_tools[];
extern const size_t chiton_tools_length;

#define CHITON_FORMAT(place) __attribute__((format(printf, place, place + 1)))

/* Results. Each call adds one part, in the order in which the model shall see them, and gives true. */
bool chiton_text(const char *format, ...) CHITON_FORMAT(1);
bool chiton_json(const cJSON *value);
bool chiton_image(const char *mime, const void *bytes, size_t length);
bool chiton_file(const char *mime, const void *bytes, size_t length);

/* Why a call gives no result; each with one sentence for the model. */
enum chiton_failure {
    CHITON_INVALID_ARGUMENTS, /* the arguments make no sense to the tool */
    CHITON_DENIED,            /* a right is missing; the sentence is the grant, such as "files=/home/ann/notes:read" */
    CHITON_NOT_FOUND,         /* what the call names does not exist */
    CHITON_TIMED_OUT,         /* something did not come in time */
    CHITON_FAILED,            /* anything else */
};

/* Keeps the reason and gives false. */
bool chiton_fail(enum chiton_failure failure, const char *format, ...) CHITON_FORMAT(2);

/* Fields of an object, arguments among others. A field that is missing or of another type gives `otherwise`. */
const char *chiton_string(const cJSON *object, const char *name, const char *otherwise);
double chiton_number(const cJSON *object, const char *name, double otherwise);
bool chiton_bool(const cJSON *object, const char *name, bool otherwise);

/* Text made as printf would; never NULL. */
char *chiton_format(const char *format, ...) CHITON_FORMAT(1);

/*
 * Files. stdio works on granted directories; relative paths start in the first of them. These two say in the contract's
 * words what went wrong: not-found, or denied with the missing grant.
 */
char *chiton_read_file(const char *path, size_t *length); /* ends with a zero byte; length may be NULL */
bool chiton_file_failure(const char *path, bool write);   /* keeps what errno means for this path; gives false */

/* HTTP by the host: granted addresses only. An HTTP status is no failure; see chiton_success. */
typedef struct {
    const char *name;
    const char *value;
} chiton_field;

typedef struct {
    const char *method;          /* NULL: GET, or POST with a body */
    const char *url;             /* absolute */
    const chiton_field *query;   /* appended to the URL, encoded as it needs; the last has no name. May be NULL */
    const chiton_field *headers; /* the last has no name. May be NULL */
    const char *body;            /* may be NULL */
    size_t length;               /* of the body; 0: up to its zero byte */
} chiton_request;

typedef struct {
    int status;
    const char *url;       /* that answered, after redirects */
    chiton_field *headers; /* the last has no name */
    char *body;            /* ends with a zero byte */
    size_t length;
} chiton_response;

chiton_response *chiton_get(const char *url);
chiton_response *chiton_send(const chiton_request *request);
bool chiton_success(const chiton_response *response);           /* keeps a reason if the status is not 200 to 299 */
cJSON *chiton_response_json(const chiton_response *response);   /* the body as JSON */
const char *chiton_header(const chiton_response *response, const char *name); /* in any case; NULL if there is none */

/* The text that stands for a secret in the header or query field it is granted for; the host puts the value in. */
const char *chiton_secret(const char *name);

/* One line for the user about how far the call is. Waits while the reader is slow. */
void chiton_progress(const char *format, ...) CHITON_FORMAT(1);

/* One line for the owner's log. */
enum chiton_level { CHITON_DEBUG, CHITON_INFO, CHITON_WARN, CHITON_ERROR };
void chiton_log(enum chiton_level level, const char *format, ...) CHITON_FORMAT(2);

/* Milliseconds until the call is ended. */
uint64_t chiton_remaining_ms(void);

#endif
