/* SPDX-License-Identifier: MIT */
/* TLS by OpenSSL: this hiredis has none. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "wire.h"

static const char *tls_error(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text ? text : "unknown error";
}

static int tls_fail(struct wire *wire, const char *what)
{
    long verified = wire->ssl ? SSL_get_verify_result(wire->ssl) : X509_V_OK;
    wire_fail(wire, "%s: %s", what, verified == X509_V_OK ? tls_error() : X509_verify_cert_error_string(verified));
    ERR_clear_error();
    return BP_BUSY;
}

int tls_result(struct wire *wire, int result)
{
    int error = SSL_get_error(wire->ssl, result);
    switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        wire->waits_for = error == SSL_ERROR_WANT_READ ? BP_READABLE : BP_WRITABLE;
        return WIRE_WAIT;
    case SSL_ERROR_ZERO_RETURN:
        return wire_fail(wire, "the server closed the connection");
    case SSL_ERROR_SYSCALL:
        return wire_fail(wire, "%s", errno ? strerror(errno) : "the server closed the connection");
    default:
        return tls_fail(wire, "TLS");
    }
}

static bool load(SSL_CTX *context, const struct tls_files *files, char reason[WIRE_REASON])
{
    const char *failed = NULL;
    bp_str file = {0};
    if (files->ca.len > 0 && SSL_CTX_load_verify_file(context, files->ca.ptr) != 1) {
        failed = "tls_ca";
        file = files->ca;
    } else if (files->ca.len == 0 && SSL_CTX_set_default_verify_paths(context) != 1) {
        failed = "the system's certificates";
    } else if (files->certificate.len > 0 && SSL_CTX_use_certificate_chain_file(context, files->certificate.ptr) != 1) {
        failed = "tls_certificate";
        file = files->certificate;
    } else if (files->key.len > 0 && (SSL_CTX_use_PrivateKey_file(context, files->key.ptr, SSL_FILETYPE_PEM) != 1 ||
                                      SSL_CTX_check_private_key(context) != 1)) {
        failed = "tls_key";
        file = files->key;
    }
    if (failed)
        snprintf(reason, WIRE_REASON, "%s %" BP_STR_FMT ": %s", failed, BP_STR_ARG(file), tls_error());
    return failed == NULL;
}

SSL_CTX *tls_context_new(const struct tls_files *files, char reason[WIRE_REASON])
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) {
        snprintf(reason, WIRE_REASON, "TLS: %s", tls_error());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* What would not go out is gathered anew, with more behind it. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, files->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (!load(context, files, reason)) {
        SSL_CTX_free(context);
        context = NULL;
    }
    ERR_clear_error();
    return context;
}

static bool is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

bool tls_attach(struct wire *wire, SSL_CTX *context, const char *server_name)
{
    bool done;
    ERR_clear_error();
    wire->ssl = SSL_new(context);
    done = wire->ssl && SSL_set_fd(wire->ssl, wire->fd) == 1;
    if (done && is_address(server_name))
        done = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(wire->ssl), server_name) == 1;
    else if (done)
        done = SSL_set1_host(wire->ssl, server_name) == 1 && SSL_set_tlsext_host_name(wire->ssl, server_name) == 1;
    if (!done)
        tls_fail(wire, "TLS");
    return done;
}
