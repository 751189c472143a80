/* SPDX-License-Identifier: MIT */
/* The document, and the page that shows it. */
#include <string.h>
#include <zlib.h>

#include "openapi.h"
#include "swagger_ui.h"
#include "swagger_ui_version.h"

static bool client_has(struct bp_request *rq, const char *etag)
{
    bp_str known = bp_request_header(rq, BP_STR("if-none-match"));
    return known.ptr && (bp_str_is(known, "*") || memmem(known.ptr, known.len, etag, strlen(etag)));
}

/* Text that may be kept as long as its ETag is asked for again. */
static int reply_text(struct bp_request *rq, const char *type, bp_str text, const char *etag)
{
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-cache"));
    if (status == 0 && etag)
        status = bp_header_set(rq, BP_STR("ETag"), bp_str_of(etag));
    if (status < 0)
        return status;
    if (etag && client_has(rq, etag))
        return bp_reply_body(rq, 304, BP_STR(""), BP_STR(""));
    return bp_reply_body(rq, 200, bp_str_of(type), text);
}

int openapi_serve(struct bp_request *rq, void *self, const void *stage)
{
    struct openapi *openapi = self;
    (void)stage;
    int status = openapi_make(openapi);
    if (status < 0)
        return bp_trace(status);
    return reply_text(rq, "application/json; charset=utf-8", bp_str_of(openapi->text), openapi->etag);
}

/* 404 where the page is left out. */
static int refuse(struct bp_request *rq)
{
    return bp_fail(rq, 404, "openapi.no_docs", "The page for people is switched off");
}

static bool is_built_in(void)
{
    return swagger_ui_bundle.end > swagger_ui_bundle.start;
}

static const bp_str page =
    BP_STR_INIT("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>API</title>\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<link rel=\"icon\" href=\"data:,\">\n"
                "<link rel=\"stylesheet\" href=\"/docs/" SWAGGER_UI_VERSION "/swagger-ui.css\">\n</head>\n<body>\n"
                "<div id=\"swagger-ui\"></div>\n"
                "<script src=\"/docs/" SWAGGER_UI_VERSION "/swagger-ui-bundle.js\"></script>\n"
                "<script src=\"/docs/start.js\"></script>\n</body>\n</html>\n");

static const bp_str missing_page = BP_STR_INIT(
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>API</title>\n</head>\n<body>\n"
    "<p>This build of the server has no Swagger UI in it: it was built without network access. "
    "<code>./dev setup docs</code>, and building again, adds it.</p>\n"
    "<p>The document itself is here: <a href=\"" OPENAPI_PATH "\">" OPENAPI_PATH "</a></p>\n</body>\n</html>\n");

int docs_page(struct bp_request *rq, void *self, const void *stage)
{
    const struct openapi *openapi = self;
    (void)stage;
    if (!openapi->docs)
        return refuse(rq);
    return reply_text(rq, "text/html; charset=utf-8", is_built_in() ? page : missing_page, NULL);
}

/* No inline script: the page's Content-Security-Policy allows none. */
static const bp_str script = BP_STR_INIT("\"use strict\";\n"
                                         "window.ui = SwaggerUIBundle({\n"
                                         "  url: \"" OPENAPI_PATH "\",\n"
                                         "  dom_id: \"#swagger-ui\",\n"
                                         "  deepLinking: true,\n"
                                         "  displayRequestDuration: true,\n"
                                         "  validatorUrl: null,\n"
                                         "  defaultModelsExpandDepth: 0\n"
                                         "});\n");

int docs_script(struct bp_request *rq, void *self, const void *stage)
{
    const struct openapi *openapi = self;
    (void)stage;
    return openapi->docs ? reply_text(rq, "text/javascript; charset=utf-8", script, NULL) : refuse(rq);
}

static bool accepts_gzip(struct bp_request *rq)
{
    bp_str accept = bp_request_header(rq, BP_STR("accept-encoding"));
    const char *at = accept.ptr ? memmem(accept.ptr, accept.len, "gzip", 4) : NULL;
    size_t rest = at ? (size_t)(accept.ptr + accept.len - at) : 0;
    return at && !(rest >= 8 && memcmp(at, "gzip;q=0", 8) == 0 && (rest < 10 || at[8] != '.'));
}

static int decompress(struct bp_request *rq, const struct swagger_ui_file *file, bp_str *ret_text)
{
    char *text = bp_arena_alloc(bp_arena(rq), file->full_size + 1);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)file->start, .avail_in = (uInt)(file->end - file->start)};
    if (!text || inflateInit2(&stream, 15 + 16) != Z_OK)
        return BP_NOMEM;
    stream.next_out = (Bytef *)text;
    stream.avail_out = (uInt)file->full_size;
    int result = inflate(&stream, Z_FINISH);
    (void)inflateEnd(&stream);
    if (result != Z_STREAM_END)
        return BP_ERROR;
    *ret_text = bp_str_n(text, file->full_size);
    return 0;
}

/* The version is in the path: what is behind it never changes. */
static int reply_file(struct bp_request *rq, const struct openapi *openapi, const struct swagger_ui_file *file,
                      const char *type)
{
    static const char etag[] = "\"" SWAGGER_UI_VERSION "\"";
    bp_str body = bp_str_n(file->start, (size_t)(file->end - file->start));
    if (!openapi->docs || body.len == 0)
        return refuse(rq);
    int status = bp_header_block(
        rq,
        BP_STR(
            "Cache-Control: public, max-age=31536000, immutable\r\nVary: Accept-Encoding\r\nETag: \"" SWAGGER_UI_VERSION
            "\"\r\n"));
    if (status == 0 && client_has(rq, etag))
        return bp_reply_body(rq, 304, BP_STR(""), BP_STR(""));
    if (status == 0)
        status = accepts_gzip(rq) ? bp_header_set(rq, BP_STR("Content-Encoding"), BP_STR("gzip"))
                                  : decompress(rq, file, &body);
    return status < 0 ? status : bp_reply_body(rq, 200, bp_str_of(type), body);
}

int docs_bundle(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    return reply_file(rq, self, &swagger_ui_bundle, "text/javascript; charset=utf-8");
}

int docs_style(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    return reply_file(rq, self, &swagger_ui_style, "text/css; charset=utf-8");
}
