/* SPDX-License-Identifier: MIT */
/* Preloaded into a server, or linked with a test: what names resolve to is read from the file FAKE_NAMES each time, "name address" a line, or "name -"
 * for one that nobody has; others resolve as ever. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
    typedef int function(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    function *real;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof(real));
    char known[256], address[64] = "";
    const char *path = getenv("FAKE_NAMES");
    FILE *file = path && name ? fopen(path, "r") : NULL;
    while (file && fscanf(file, "%255s %63s", known, address) == 2 && strcmp(known, name) != 0)
        address[0] = '\0';
    if (file)
        fclose(file);
    if (strcmp(address, "-") == 0)
        return EAI_NONAME;
    return real(address[0] != '\0' ? address : name, service, hints, ret_list);
}
