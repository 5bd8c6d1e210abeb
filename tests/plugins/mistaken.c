/* A plugin with one mistake, which the test that compiles it asks for. */
#include <stdlib.h>

#include "flow_plugin.h"

#ifndef MAJOR
#define MAJOR FLOW_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR FLOW_ABI_MINOR
#endif
#ifndef MANIFEST_SIZE
#define MANIFEST_SIZE sizeof(FlowManifest)
#endif
#ifndef PANIC
#define PANIC 3
#endif
#ifndef WIDTH
#define WIDTH (sizeof(void *) * 8)
#endif
#ifndef FAILURE_SIZE
#define FAILURE_SIZE sizeof(FlowFailure)
#endif
#ifndef COMPILER
#define COMPILER ""
#endif
#ifndef ID
#define ID "mistaken"
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(FlowDecoderTable)
#endif
#ifndef DECODE
#define DECODE decode
#endif
#ifndef SCHEMA
#define SCHEMA "{}"
#endif

#ifndef NO_MANIFEST
__attribute__((used, section(".flow_plugin"))) static const FlowManifest manifest = {
    {'f', 'l', 'o', 'w', 'p', 'l', 'u', 'g'}, MANIFEST_SIZE, MAJOR, MINOR, WIDTH, FLOW_ENDIAN, PANIC, 0,
    {sizeof(FlowBytes), sizeof(FlowHeader), sizeof(FlowPayload), FAILURE_SIZE}, "mistaken", "0.0.0", "c", COMPILER};
#endif

static int32_t build(FlowBytes config, FlowBytes context, const FlowFaultSink *faults, void **state) {
    (void)config, (void)context, (void)faults;
    *state = malloc(1);
    return FLOW_OK;
}

#ifndef ROW
#define ROW {10, 0, 0, 0, 0}
#endif

int32_t decode(void *state, FlowBytes payload, const FlowRowSink *out, FlowFailure *failure) {
    static const uint8_t row[] = ROW;
    (void)state, (void)payload;
    return out->accept(out->context, (FlowBytes){row, sizeof row}, 1, failure);
}

__attribute__((unused)) static const FlowDecoderTable table = {TABLE_SIZE, build, free, DECODE};

#ifdef UNDEFINED
extern int32_t nowhere(void);
#endif

#ifndef NO_SYMBOL
int32_t register_connector_plugin(const FlowRegistry *registry, FlowFailure *failure) {
    FlowComponent component = {
        sizeof component, FLOW_DECODER, flow_text("first"), flow_text(""), flow_text(SCHEMA), &table};
#ifdef UNDEFINED
    return nowhere();
#endif
#ifdef ERROR
    return flow_fail(failure, 0, "the licence has run out");
#endif
#ifdef NOTHING
    return FLOW_OK;
#endif
    int32_t registered = registry->register_component(registry->context, &component, failure);
    if (registered != FLOW_OK) return registered;
    component.id = flow_text(ID);
    return registry->register_component(registry->context, &component, failure);
}
#endif
