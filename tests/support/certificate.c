/* SPDX-License-Identifier: MIT */
#include "tests/support/certificate.h"

#include <stdio.h>
#include <sys/stat.h>

#include "tests/support/service.h"

void certificate_make(const char *folder)
{
    char key[128], certificate[128], log[128];
    snprintf(key, sizeof(key), "%s/server.key", folder);
    snprintf(certificate, sizeof(certificate), "%s/server.crt", folder);
    snprintf(log, sizeof(log), "%s/openssl.log", folder);
    service_run((const char *const[]){"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                      "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                                      "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                                      certificate, NULL},
                log);
    (void)chmod(key, 0600);
}
