/* SPDX-License-Identifier: MIT */
#ifndef TRACING_EXPORT_H
#define TRACING_EXPORT_H

/* The choices of the options of these names, in their order. */
enum protocol { PROTOCOL_PROTOBUF, PROTOCOL_JSON };
enum compression { COMPRESSION_NONE, COMPRESSION_GZIP };

#endif
