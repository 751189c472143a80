/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>

void json_log(struct bytes *out, const struct otlp_log *log)
{
    json_format(out, "{\"timeUnixNano\":\"%" PRId64 "\",\"observedTimeUnixNano\":\"%" PRId64 "\",\"severityNumber\":%u",
                log->date, log->date, log->severity);
    json_format(out, ",\"severityText\":\"%s\",\"body\":{\"stringValue\":", log->severity_text);
    json_string(out, log->body);
    json_literal(out, "},");
    json_attributes(out, log->attributes);
    if (log->trace) {
        bytes_add_char(out, ',');
        json_identifiers(out, log->trace);
        json_format(out, ",\"flags\":%u", log->trace->flags);
    }
    bytes_add_char(out, '}');
}
