/* SPDX-License-Identifier: MIT */
/* The wire format of Protocol Buffers 3, and what the messages of OTLP have in common. */
#ifndef TRACING_PROTOBUF_H
#define TRACING_PROTOBUF_H

#include "otlp.h"

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

void protobuf_integer(struct bytes *out, unsigned field, uint64_t value);
void protobuf_text(struct bytes *out, unsigned field, bp_str text);
/* len: 4 or 8 bytes. */
void protobuf_fixed(struct bytes *out, unsigned field, uint64_t value, size_t len);
void protobuf_double(struct bytes *out, unsigned field, double value);
/* A message in a message, or packed numbers. */
size_t protobuf_begin(struct bytes *out, unsigned field);
void protobuf_end(struct bytes *out, size_t begin);
/* The bytes of a number without its field, for packed ones. */
void protobuf_fixed64(struct bytes *out, uint64_t value);
uint64_t protobuf_bits(double value);
void protobuf_attributes(struct bytes *out, unsigned field, const struct attribute *attribute);

/* Takes a number off the begin of rest. */
bool protobuf_take_varint(bp_str *rest, uint64_t *ret_value);

/* The functions of struct otlp_encoder that are elsewhere. */
void protobuf_metric_begin(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *ret_open);
void protobuf_point(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open,
                    const struct otlp_point *point);
void protobuf_metric_end(struct bytes *out, const struct otlp_metric *metric, struct otlp_open *open);
void protobuf_log(struct bytes *out, const struct otlp_log *log);

#endif
