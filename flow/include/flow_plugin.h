/* The border between flow and a plugin in C. `flow/docs/plugins.md` explains it; a test holds this file to the Rust side.
 *
 * A plugin defines its manifest and one function:
 *
 *     FLOW_MANIFEST("my-plugin", "1.0.0");
 *     int32_t register_connector_plugin(const FlowRegistry *registry, FlowFailure *failure) { ... }
 *
 * Everything that a function is given is borrowed for the call. What `build` makes lives until `destroy`.
 * Build it with: cc -shared -fPIC -I flow/include -o libmy_plugin.so my_plugin.c
 */
#ifndef FLOW_PLUGIN_H
#define FLOW_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FLOW_ABI_MAJOR 1u
#define FLOW_ABI_MINOR 1u

/* What functions return. */
enum { FLOW_OK = 0, FLOW_PENDING = 1, FLOW_END = 2, FLOW_FAILED = 3, FLOW_PANICKED = 4 };
/* FlowComponent.role */
enum { FLOW_SOURCE = 0, FLOW_SINK = 1, FLOW_DECODER = 2, FLOW_ENCODER = 3 };
/* FlowFailure.flags */
enum { FLOW_TEMPORARY = 1, FLOW_FATAL = 2, FLOW_FAULT = 4, FLOW_REFUSED = 8 };
/* FlowFailure.reason, of a record */
enum {
    FLOW_SYNTAX = 0, FLOW_UTF8 = 1, FLOW_TYPE = 2, FLOW_RANGE = 3, FLOW_MISSING = 4, FLOW_DUPLICATE = 5,
    FLOW_DEPTH = 6, FLOW_SIZE = 7, FLOW_ENCODE = 8, FLOW_ROUTE = 9, FLOW_REFUSED_PAYLOAD = 10
};
/* FlowFailure.kind, of a connector */
enum {
    FLOW_CONFIG = 0, FLOW_CONNECTION = 1, FLOW_REFUSED_BY_PEER = 2, FLOW_PROTOCOL = 3, FLOW_IO = 4,
    FLOW_RECORD = 5, FLOW_CLOSED = 6
};

/* Borrowed bytes or UTF-8 text. No data: nothing is there. */
typedef struct FlowBytes { const uint8_t *data; size_t len; } FlowBytes;

/* What is read from the file before it is loaded. */
typedef struct FlowManifest {
    uint8_t magic[8];
    uint32_t size, major, minor;
    uint8_t pointer_width, endian, panic, reserved;
    uint32_t sizes[4];
    char name[64], version[32], target[64];
    char compiler[64]; /* since 1.1 */
} FlowManifest;

/* An error, allocated by whoever calls. */
typedef struct FlowFailure {
    uint32_t size, kind, reason, flags;
    uint64_t index, offset;
    uint32_t key_len, message_len;
    char key[256], message[1024];
} FlowFailure;

/*
 * Where `build` says what is wrong with a config: a JSON array of keys and positions, and why.
 * And what it uses that another component must not, such as a file that it writes (`alone` 1), or must not have for itself
 * alone (0): the key of the option, what it is, as messages name it. FLOW_FAILED: another one has it, which `failure` says.
 */
typedef struct FlowFaultSink {
    size_t size;
    void *context;
    void (*fault)(void *context, FlowBytes path, FlowBytes message);
    int32_t (*claim)(void *context, FlowBytes key, FlowBytes what, uint32_t alone, FlowFailure *failure); /* since 1.1 */
} FlowFaultSink;

/* The waker of the host's task. Clone it to keep it; wake or release a clone, once. */
typedef struct FlowWaker FlowWaker;
struct FlowWaker {
    size_t size;
    const FlowWaker *(*clone)(const FlowWaker *);
    void (*wake)(const FlowWaker *);
    void (*wake_by_ref)(const FlowWaker *);
    void (*release)(const FlowWaker *);
};

typedef struct FlowHeader { FlowBytes name, value; } FlowHeader;

typedef struct FlowPayload {
    FlowBytes bytes, topic, key;
    const FlowHeader *headers;
    size_t header_count;
    int64_t time; /* microseconds since 1970 */
    uint32_t has_time;
} FlowPayload;

/* Where a source or an encoder puts payloads: they are copied. */
typedef struct FlowPayloadSink {
    size_t size;
    void *context;
    void (*push)(void *context, const FlowPayload *payloads, size_t count);
} FlowPayloadSink;

/* Where a decoder puts records, each one row. `FLOW_FAILED`: the record is refused, and nothing of it is left. */
typedef struct FlowRowSink {
    size_t size;
    void *context;
    int32_t (*accept)(void *context, FlowBytes row, uint32_t for_people, FlowFailure *failure);
    void (*reject)(void *context, const FlowFailure *failure);
    size_t (*len)(void *context);
    void (*truncate)(void *context, size_t len);
    FlowBytes keys; /* since 1.1: `flow_reads` */
} FlowRowSink;

/* Where an encoder gets records. A row stands until the next call. */
typedef struct FlowRowSource {
    size_t size;
    void *context;
    size_t len;
    int32_t (*row)(void *context, size_t index, uint32_t for_people, FlowBytes *row, FlowFailure *failure);
} FlowRowSource;

typedef int32_t (*FlowBuild)(FlowBytes config, FlowBytes context, const FlowFaultSink *faults, void **state);
typedef void (*FlowDestroy)(void *state);
typedef int32_t (*FlowPoll)(void *state, const FlowWaker *waker, FlowFailure *failure);

/*
 * Whatever returns FLOW_PENDING has cloned the waker and wakes it when it is worth calling again. The same call comes
 * again then, unless the program has given it up: another one may come instead.
 */
typedef struct FlowSourceTable {
    size_t size;
    FlowBuild build;
    FlowDestroy destroy;
    FlowPoll open;
    int32_t (*next)(void *state, const FlowWaker *waker, size_t capacity, const FlowPayloadSink *out,
                    uint64_t *checkpoint, FlowFailure *failure);
    int32_t (*acknowledge)(void *state, const FlowWaker *waker, uint64_t checkpoint, FlowFailure *failure);
    FlowPoll close;
} FlowSourceTable;

/*
 * `write` may return FLOW_FAILED with FLOW_REFUSED and `index`: payloads before it were taken, this one never will be, those
 * after it were not looked at. What is left comes again under the same checkpoint, if need be with `count` 0 (`payloads` then
 * points to nothing). A checkpoint ends with a call that returns FLOW_OK; only then, and when all payloads of it and before
 * have arrived for good, may `confirmed` give it. One of which nothing was taken may never end.
 */
typedef struct FlowSinkTable {
    size_t size;
    FlowBuild build;
    FlowDestroy destroy;
    FlowBytes (*route)(void *state);
    int32_t (*check_route)(void *state, FlowBytes value, FlowFailure *failure);
    FlowPoll open;
    int32_t (*write)(void *state, const FlowWaker *waker, const FlowPayload *payloads, size_t count,
                     uint64_t checkpoint, FlowFailure *failure);
    int32_t (*confirmed)(void *state, const FlowWaker *waker, uint64_t *checkpoint, FlowFailure *failure);
    FlowPoll close;
} FlowSinkTable;

typedef struct FlowDecoderTable {
    size_t size;
    FlowBuild build;
    FlowDestroy destroy;
    int32_t (*decode)(void *state, FlowBytes payload, const FlowRowSink *out, FlowFailure *failure);
} FlowDecoderTable;

typedef struct FlowEncoderTable {
    size_t size;
    FlowBuild build;
    FlowDestroy destroy;
    uint32_t (*framing)(void *state); /* 0 a payload a record, 1 a payload a batch */
    int32_t (*check)(void *state, FlowBytes schema, FlowFailure *failure);
    int32_t (*encode)(void *state, const FlowRowSource *records, const FlowPayloadSink *out, FlowFailure *failure);
} FlowEncoderTable;

/* One component that a plugin offers. `table` stands for ever. */
typedef struct FlowComponent {
    size_t size;
    uint32_t role;
    FlowBytes id, description, config_schema;
    const void *table;
} FlowComponent;

typedef struct FlowRegistry {
    size_t size;
    uint32_t minor;
    void *context;
    int32_t (*register_component)(void *context, const FlowComponent *component, FlowFailure *failure);
    void (*log)(uint32_t level, FlowBytes target, FlowBytes message); /* 1 error to 5 trace; may be NULL */
} FlowRegistry;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FLOW_ENDIAN 2
#else
#define FLOW_ENDIAN 1
#endif

#ifdef __VERSION__
#define FLOW_COMPILER "cc " __VERSION__
#else
#define FLOW_COMPILER "cc"
#endif

/* Defines the manifest. C has no panics: 3. */
#define FLOW_MANIFEST(plugin_name, plugin_version)                                                                   \
    __attribute__((used, section(".flow_plugin"))) static const FlowManifest flow_manifest = {                       \
        {'f', 'l', 'o', 'w', 'p', 'l', 'u', 'g'}, sizeof(FlowManifest), FLOW_ABI_MAJOR, FLOW_ABI_MINOR,              \
        sizeof(void *) * 8, FLOW_ENDIAN, 3, 0,                                                                       \
        {sizeof(FlowBytes), sizeof(FlowHeader), sizeof(FlowPayload), sizeof(FlowFailure)},                           \
        plugin_name, plugin_version, "c", FLOW_COMPILER}

static inline FlowBytes flow_text(const char *text) {
    FlowBytes bytes = {(const uint8_t *)text, text ? strlen(text) : 0};
    return bytes;
}

/* Fills in the caller's error, and returns FLOW_FAILED. */
static inline int32_t flow_fail(FlowFailure *failure, uint32_t reason, const char *message) {
    size_t len = strlen(message);
    if (len > sizeof failure->message) len = sizeof failure->message;
    memcpy(failure->message, message, len);
    failure->message_len = (uint32_t)len;
    failure->key_len = 0;
    failure->reason = reason;
    failure->flags = 0;
    failure->index = failure->offset = UINT64_MAX;
    return FLOW_FAILED;
}

/* Is this key of a record read? What is not can be left out. */
static inline int flow_reads(const FlowRowSink *out, const char *key) {
    const uint8_t *at = out->keys.data, *end;
    size_t len = strlen(key);
    if (!at || out->keys.len < 5) return 1;
    /* A list (9, a count of 4 bytes) of texts (7, a length of 4 bytes). */
    for (end = at + out->keys.len, at += 5; end - at >= 5;) {
        size_t own = at[1] | (size_t)at[2] << 8 | (size_t)at[3] << 16 | (size_t)at[4] << 24;
        at += 5;
        if (own > (size_t)(end - at)) return 1;
        if (own == len && memcmp(at, key, len) == 0) return 1;
        at += own;
    }
    return 0;
}

/* A row in memory of the author's: what does not fit is not written, and `full` says so. */
typedef struct FlowRow { uint8_t *data; size_t len, room; int full; } FlowRow;

static inline void flow_row_raw(FlowRow *row, const void *data, size_t len) {
    if (row->full || len > row->room - row->len) { row->full = 1; return; }
    if (len) memcpy(row->data + row->len, data, len);
    row->len += len;
}
static inline void flow_row_number(FlowRow *row, uint8_t tag, uint64_t number, unsigned bytes) {
    uint8_t out[9] = {tag};
    for (unsigned i = 0; i < bytes; i++) out[i + 1] = (uint8_t)(number >> (8 * i));
    flow_row_raw(row, out, bytes + 1);
}
static inline void flow_row_sized(FlowRow *row, uint8_t tag, const void *data, size_t len) {
    if (len > UINT32_MAX) { row->full = 1; return; }
    flow_row_number(row, tag, len, 4);
    flow_row_raw(row, data, len);
}
static inline void flow_null(FlowRow *row) { flow_row_number(row, 0, 0, 0); }
static inline void flow_bool(FlowRow *row, int value) { flow_row_number(row, value ? 2 : 1, 0, 0); }
static inline void flow_int(FlowRow *row, int64_t value) { flow_row_number(row, 3, (uint64_t)value, 8); }
static inline void flow_uint(FlowRow *row, uint64_t value) { flow_row_number(row, 4, value, 8); }
static inline void flow_float(FlowRow *row, double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    flow_row_number(row, 5, bits, 8);
}
static inline void flow_string(FlowRow *row, const char *text, size_t len) { flow_row_sized(row, 7, text, len); }
static inline void flow_binary(FlowRow *row, const void *data, size_t len) { flow_row_sized(row, 8, data, len); }
/* So many values follow. */
static inline void flow_list(FlowRow *row, uint32_t count) { flow_row_number(row, 9, count, 4); }
/* So many entries follow, each a key (`flow_key`) and a value. A record is a map. */
static inline void flow_map(FlowRow *row, uint32_t count) { flow_row_number(row, 10, count, 4); }
static inline void flow_key(FlowRow *row, const char *name) { flow_string(row, name, strlen(name)); }

#endif
