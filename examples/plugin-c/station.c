/* A plugin in C: a decoder for the lines of a weather station, `name,celsius`, one record each.
 *
 *     cc -shared -fPIC -O2 -I flow/include -o /opt/flow/plugins/libstation.so examples/plugin-c/station.c
 */
#include <stdlib.h>

#include "flow_plugin.h"

FLOW_MANIFEST("station", "0.1.0");

static int32_t build(FlowBytes config, FlowBytes context, const FlowFaultSink *faults, void **state) {
    (void)config; /* it has no options, and flow has checked that there are none */
    (void)context;
    (void)faults;
    size_t *lines = calloc(1, sizeof *lines);
    *state = lines;
    return lines ? FLOW_OK : FLOW_FAILED;
}

static void destroy(void *state) { free(state); }

static int32_t decode(void *state, FlowBytes payload, const FlowRowSink *out, FlowFailure *failure) {
    const char *text = (const char *)payload.data;
    const char *comma = payload.len ? memchr(text, ',', payload.len) : NULL;
    if (!comma) return flow_fail(failure, FLOW_SYNTAX, "no comma in the line");

    char number[32] = {0}, *end;
    size_t name_len = (size_t)(comma - text), number_len = payload.len - name_len - 1;
    if (number_len >= sizeof number) return flow_fail(failure, FLOW_SIZE, "the number is too long");
    memcpy(number, comma + 1, number_len);
    double celsius = strtod(number, &end);
    if (end == number || *end) {
        flow_fail(failure, FLOW_TYPE, "no number follows the comma");
        failure->offset = name_len + 1;
        return FLOW_FAILED;
    }

    uint8_t memory[512];
    FlowRow row = {memory, 0, sizeof memory, 0};
    flow_map(&row, 3);
    flow_key(&row, "station");
    flow_string(&row, text, name_len);
    flow_key(&row, "celsius");
    flow_float(&row, celsius);
    flow_key(&row, "line");
    flow_uint(&row, ++*(size_t *)state);
    if (row.full) return flow_fail(failure, FLOW_SIZE, "the name of the station is too long");
    return out->accept(out->context, (FlowBytes){memory, row.len}, 1, failure);
}

static const FlowDecoderTable decoder = {sizeof decoder, build, destroy, decode};

int32_t register_connector_plugin(const FlowRegistry *registry, FlowFailure *failure) {
    FlowComponent component = {
        sizeof component, FLOW_DECODER, flow_text("station"), flow_text("reads `name,celsius`"),
        flow_text("{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"), &decoder};
    return registry->register_component(registry->context, &component, failure);
}
