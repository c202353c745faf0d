/* What chiton_tool.h promises, over the bindings that are generated from the contract. */

#include "chiton_tool.h"
#include "chiton.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

_Static_assert((int)CHITON_DESTRUCTIVE == (int)CHITON_TOOL_TOOL_TYPES_EFFECTS_DESTRUCTIVE, "effects as in the contract");
_Static_assert((int)CHITON_FAILED == (int)CHITON_TOOL_TOOL_TYPES_FAILURE_FAILED, "failures as in the contract");
_Static_assert((int)CHITON_ERROR == (int)CHITON_TOOL_LOG_LEVEL_ERROR, "levels as in the contract");

enum { MOST_REDIRECTS = 5, MOST_OF_AN_ERROR = 300 };

/* What the call has come to so far. Whatever is in here goes to the host, which frees it with the generated code. */
static exports_chiton_tool_tools_list_part_t parts;
static exports_chiton_tool_tools_failure_t reason;
static bool has_reason;
static chiton_tool_call_context_list_mount_t mounts;

/* Out of memory ends the call; there is nothing sensible left to do with an instance that is thrown away anyway. */
static void *memory(void *old, size_t size)
{
    void *block = realloc(old, size ? size : 1);
    if (!block) {
        abort();
    }
    return block;
}

static chiton_string_t borrowed(const char *text)
{
    return (chiton_string_t){(uint8_t *)text, strlen(text)};
}

static char *owned(const void *bytes, size_t length)
{
    char *copy = memory(NULL, length + 1);
    memcpy(copy, bytes, length);
    copy[length] = 0;
    return copy;
}

static chiton_string_t kept(const char *text)
{
    return borrowed(owned(text, strlen(text)));
}

/* Bytes of the UTF-8 character that `text` begins with; 0 if it begins with none. */
static int character(const unsigned char *text)
{
    static const struct { unsigned char mask, first; uint32_t smallest; } forms[] = {
        {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000},
    };
    for (int more = 0; more < 4; more++) {
        if ((text[0] & forms[more].mask) != forms[more].first) {
            continue;
        }
        uint32_t code = text[0] & (unsigned char)~forms[more].mask;
        for (int i = 1; i <= more; i++) {
            if ((text[i] & 0xc0) != 0x80) {
                return 0;
            }
            code = code << 6 | (text[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code < 0xe000;
        return code < forms[more].smallest || surrogate || code > 0x10ffff ? 0 : more + 1;
    }
    return 0;
}

/* Puts '?' for what is no UTF-8: the host ends a call that hands it such a string. */
static char *readable(char *text)
{
    for (char *at = text; *at;) {
        int length = character((const unsigned char *)at);
        if (length == 0) {
            *at = '?';
        }
        at += length ? length : 1;
    }
    return text;
}

static char *formatted(const char *format, va_list values)
{
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(NULL, 0, format, values);
    char *text = memory(NULL, (size_t)(length < 0 ? 0 : length) + 1);
    text[0] = 0;
    if (length > 0) {
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return readable(text);
}

/* Puts what follows `format` into `name`. */
#define FORMATTED(name, format)                                                                                        \
    va_list values;                                                                                                    \
    va_start(values, format);                                                                                          \
    char *name = formatted(format, values);                                                                            \
    va_end(values)

char *chiton_format(const char *format, ...)
{
    FORMATTED(text, format);
    return text;
}

/* Results and failures */

static chiton_tool_tool_types_part_t *new_part(uint8_t tag)
{
    parts.ptr = memory(parts.ptr, (parts.len + 1) * sizeof *parts.ptr);
    chiton_tool_tool_types_part_t *part = &parts.ptr[parts.len++];
    part->tag = tag;
    return part;
}

bool chiton_text(const char *format, ...)
{
    FORMATTED(text, format);
    new_part(CHITON_TOOL_TOOL_TYPES_PART_TEXT)->val.text = borrowed(text);
    return true;
}

bool chiton_json(const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);
    if (!text) {
        return chiton_fail(CHITON_FAILED, "the result cannot be written as JSON");
    }
    new_part(CHITON_TOOL_TOOL_TYPES_PART_JSON)->val.json = borrowed(readable(text));
    return true;
}

static chiton_tool_tool_types_blob_t blob(const char *mime, const void *bytes, size_t length)
{
    return (chiton_tool_tool_types_blob_t){kept(mime), {(uint8_t *)owned(bytes, length), length}};
}

bool chiton_image(const char *mime, const void *bytes, size_t length)
{
    new_part(CHITON_TOOL_TOOL_TYPES_PART_IMAGE)->val.image = blob(mime, bytes, length);
    return true;
}

bool chiton_file(const char *mime, const void *bytes, size_t length)
{
    new_part(CHITON_TOOL_TOOL_TYPES_PART_FILE)->val.file = blob(mime, bytes, length);
    return true;
}

bool chiton_fail(enum chiton_failure failure, const char *format, ...)
{
    FORMATTED(text, format);
    reason = (exports_chiton_tool_tools_failure_t){.tag = (uint8_t)failure, .val.failed = borrowed(text)};
    has_reason = true;
    return false;
}

/* Arguments and other objects */

const char *chiton_string(const cJSON *object, const char *name, const char *otherwise)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : otherwise;
}

double chiton_number(const cJSON *object, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

bool chiton_bool(const cJSON *object, const char *name, bool otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

/* Files */

/* The directory of `path` as the owner knows it: that is what a grant names. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    int length = slash == path ? 1 : slash ? (int)(slash - path) : 0;
    if (path[0] == '/') {
        return chiton_format("%.*s", length, path);
    }
    if (mounts.len == 0) {
        return chiton_format("%.*s", length ? length : 1, length ? path : ".");
    }
    const chiton_string_t *base = &mounts.ptr[0].path;
    return chiton_format("%.*s%s%.*s", (int)base->len, (const char *)base->ptr, length ? "/" : "", length, path);
}

/* Whether a path lies in a mount, by its text alone. */
static bool is_mounted(const char *path)
{
    if (path[0] != '/') {
        return mounts.len > 0 && strncmp(path, "..", 2) != 0;
    }
    for (size_t i = 0; i < mounts.len; i++) {
        const chiton_string_t *mount = &mounts.ptr[i].path;
        bool same = strncmp(path, (const char *)mount->ptr, mount->len) == 0;
        if (same && (path[mount->len] == '/' || path[mount->len] == 0)) {
            return true;
        }
    }
    return false;
}

bool chiton_file_failure(const char *path, bool write)
{
    switch (errno) {
    case ENOENT: /* to some versions of the C library, all that is not mounted does not exist */
        if (is_mounted(path)) {
            return chiton_fail(CHITON_NOT_FOUND, "'%s' does not exist", path);
        }
    /* fall through */
    case EACCES:
    case EPERM:
    case EROFS:
    case EBADF:
    case ENOTCAPABLE:
        return chiton_fail(CHITON_DENIED, "files=%s:%s", directory_of(path), write ? "write" : "read");
    default:
        return chiton_fail(CHITON_FAILED, "'%s': %s", path, strerror(errno));
    }
}

char *chiton_read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        chiton_file_failure(path, false);
        return NULL;
    }
    size_t size = 0, room = 4096, got;
    char *text = memory(NULL, room);
    while ((got = fread(text + size, 1, room - size - 1, file)) > 0) {
        size += got;
        if (size + 1 == room) {
            text = memory(text, room *= 2);
        }
    }
    bool broken = ferror(file);
    fclose(file);
    if (broken) {
        chiton_file_failure(path, false);
        return NULL;
    }
    text[size] = 0;
    if (length) {
        *length = size;
    }
    return text;
}

/* HTTP and secrets */

/* Percent-encodes all but RFC 3986's unreserved characters. */
static char *encoded(const char *text)
{
    char *encoded = memory(NULL, strlen(text) * 3 + 1), *end = encoded;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        if (plain || strchr("-._~", byte)) {
            *end++ = (char)byte;
        } else {
            end += sprintf(end, "%%%02X", byte);
        }
    }
    *end = 0;
    return encoded;
}

static char *with_query(const char *url, const chiton_field *query)
{
    char *whole = owned(url, strlen(url));
    for (; query && query->name; query++) {
        char sign = strchr(whole, '?') ? '&' : '?';
        whole = chiton_format("%s%c%s=%s", whole, sign, encoded(query->name), encoded(query->value));
    }
    return whole;
}

static chiton_tool_http_list_header_t given_headers(const chiton_field *fields)
{
    chiton_tool_http_list_header_t list = {NULL, 0};
    for (; fields && fields->name; fields++) {
        list.ptr = memory(list.ptr, (list.len + 1) * sizeof *list.ptr);
        list.ptr[list.len++] = (chiton_tool_http_header_t){borrowed(fields->name), borrowed(fields->value)};
    }
    return list;
}

static chiton_response *received(const chiton_tool_http_response_t *from)
{
    chiton_response *response = memory(NULL, sizeof *response);
    response->status = from->status;
    response->url = owned(from->url.ptr, from->url.len);
    response->body = owned(from->body.ptr, from->body.len);
    response->length = from->body.len;
    response->headers = memory(NULL, (from->headers.len + 1) * sizeof *response->headers);
    for (size_t i = 0; i < from->headers.len; i++) {
        const chiton_tool_http_header_t *header = &from->headers.ptr[i];
        response->headers[i].name = owned(header->name.ptr, header->name.len);
        response->headers[i].value = owned(header->value.ptr, header->value.len);
    }
    response->headers[from->headers.len] = (chiton_field){NULL, NULL};
    return response;
}

chiton_response *chiton_send(const chiton_request *request)
{
    size_t length = request->length ? request->length : request->body ? strlen(request->body) : 0;
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";
    chiton_tool_http_request_t wanted = {
        .method = borrowed(method),
        .url = borrowed(with_query(request->url, request->query)),
        .headers = given_headers(request->headers),
        .body = {(uint8_t *)request->body, length},
        .redirects = MOST_REDIRECTS,
    };
    chiton_tool_http_response_t response;
    chiton_tool_http_failure_t failure;
    if (!chiton_tool_http_fetch(&wanted, &response, &failure)) {
        reason = failure;
        has_reason = true;
        return NULL;
    }
    chiton_response *result = received(&response);
    chiton_tool_http_response_free(&response);
    return result;
}

chiton_response *chiton_get(const char *url)
{
    return chiton_send(&(chiton_request){.url = url});
}

/* The host that answered, for sentences: the URL's query may hold what is nobody's business. */
static char *host_of(const chiton_response *response)
{
    const char *scheme = strstr(response->url, "://");
    const char *host = scheme ? scheme + 3 : response->url;
    return chiton_format("%.*s", (int)strcspn(host, "/?#"), host);
}

bool chiton_success(const chiton_response *response)
{
    if (response->status >= 200 && response->status < 300) {
        return true;
    }
    enum chiton_failure failure = response->status == 404 ? CHITON_NOT_FOUND : CHITON_FAILED;
    return chiton_fail(failure, "%s answered with status %d: %.*s", host_of(response), response->status,
                       MOST_OF_AN_ERROR, response->body);
}

cJSON *chiton_response_json(const chiton_response *response)
{
    cJSON *json = cJSON_ParseWithLength(response->body, response->length);
    if (!json) {
        chiton_fail(CHITON_FAILED, "%s sent an answer that is no JSON", host_of(response));
    }
    return json;
}

const char *chiton_header(const chiton_response *response, const char *name)
{
    for (const chiton_field *header = response->headers; header->name; header++) {
        if (strcasecmp(header->name, name) == 0) {
            return header->value;
        }
    }
    return NULL;
}

const char *chiton_secret(const char *name)
{
    chiton_string_t wanted = borrowed(name), text;
    if (!chiton_tool_secrets_placeholder(&wanted, &text)) {
        chiton_fail(CHITON_DENIED, "secrets=%s", name);
        return NULL;
    }
    return owned(text.ptr, text.len);
}

/* The call */

void chiton_progress(const char *format, ...)
{
    FORMATTED(text, format);
    chiton_string_t line = borrowed(text);
    chiton_tool_progress_report(&line);
}

void chiton_log(enum chiton_level level, const char *format, ...)
{
    FORMATTED(text, format);
    chiton_string_t line = borrowed(text);
    chiton_tool_log_write((chiton_tool_log_level_t)level, &line);
}

uint64_t chiton_remaining_ms(void)
{
    return chiton_tool_call_context_remaining_ms();
}

void exports_chiton_tool_tools_list_tools(exports_chiton_tool_tools_list_definition_t *list)
{
    list->len = chiton_tools_length;
    list->ptr = memory(NULL, list->len * sizeof *list->ptr);
    for (size_t i = 0; i < list->len; i++) {
        const chiton_tool *tool = &chiton_tools[i];
        list->ptr[i] = (exports_chiton_tool_tools_definition_t){
            .name = kept(tool->name),
            .description = kept(tool->description),
            .parameters = kept(tool->parameters),
            .effects = (chiton_tool_tool_types_effects_t)tool->effects,
        };
    }
}

static bool run(const chiton_string_t *name, const chiton_string_t *arguments)
{
    for (size_t i = 0; i < chiton_tools_length; i++) {
        const char *known = chiton_tools[i].name;
        if (strlen(known) == name->len && memcmp(known, name->ptr, name->len) == 0) {
            const cJSON *object = cJSON_ParseWithLength((const char *)arguments->ptr, arguments->len);
            return object ? chiton_tools[i].run(object)
                          : chiton_fail(CHITON_INVALID_ARGUMENTS, "the arguments are no JSON object");
        }
    }
    return chiton_fail(CHITON_NOT_FOUND, "there is no tool of this name");
}

bool exports_chiton_tool_tools_call(chiton_string_t *name, chiton_string_t *arguments,
                                    exports_chiton_tool_tools_list_part_t *result,
                                    exports_chiton_tool_tools_failure_t *failure)
{
    chiton_tool_call_context_mounts(&mounts);
    if (mounts.len > 0) {
        chdir(owned(mounts.ptr[0].path.ptr, mounts.ptr[0].path.len));
    }
    if (run(name, arguments)) {
        *result = parts;
        return true;
    }
    if (!has_reason) {
        chiton_fail(CHITON_FAILED, "the tool failed and gave no reason");
    }
    *failure = reason;
    return false;
}
