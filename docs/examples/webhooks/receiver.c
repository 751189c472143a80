/* SPDX-License-Identifier: MIT */
/* cc -o receiver receiver.c -lcrypto && WEBHOOK_SECRET=whsec_… ./receiver 8080 */
#include <errno.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct message {
    char bytes[65536], *body;
    size_t body_len;
    char id[256], timestamp[32], signatures[1024];
};

/* A whole number of decimal digits, or -1. */
static long long number(const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' ? value : -1;
}

/* "whsec_" and base64. The length of the key, or -1. */
static int key_of(const char *secret, unsigned char key[64])
{
    size_t len = strlen(secret);
    if (len < 6 + 4 || len > 6 + 84 || strncmp(secret, "whsec_", 6) != 0)
        return -1;
    int decoded = EVP_DecodeBlock(key, (const unsigned char *)secret + 6, (int)len - 6);
    return decoded - (secret[len - 1] == '=') - (secret[len - 2] == '='); /* it counts the padding */
}

/* Of "<id>.<timestamp>.<body>", as the bytes came: what is parsed and written again is not what was signed. */
static bool verify(const struct message *message, const char *secret)
{
    static char text[70000];
    unsigned char key[72], mac[EVP_MAX_MD_SIZE];
    char expected[64] = "v1,", given[1024], *rest = NULL;
    unsigned mac_len;
    int key_len = key_of(secret, key), head;
    long long now = (long long)time(NULL), at = number(message->timestamp);
    if (key_len < 0 || at < now - 300 || at > now + 300)
        return false;
    head = snprintf(text, sizeof(text), "%s.%s.", message->id, message->timestamp);
    memcpy(text + head, message->body, message->body_len);
    HMAC(EVP_sha256(), key, key_len, (unsigned char *)text, (size_t)head + message->body_len, mac, &mac_len);
    EVP_EncodeBlock((unsigned char *)expected + 3, mac, (int)mac_len);
    snprintf(given, sizeof(given), "%s", message->signatures);
    for (char *one = strtok_r(given, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
        if (strlen(one) == strlen(expected) && CRYPTO_memcmp(one, expected, strlen(expected)) == 0)
            return true;
    return false;
}

static void field(const struct message *message, const char *name, char *value, size_t size)
{
    value[0] = '\0';
    for (const char *line = strstr(message->bytes, "\r\n"); line && line + 2 < message->body;
         line = strstr(line, "\r\n")) {
        line += 2;
        size_t len = strlen(name);
        if (strncasecmp(line, name, len) != 0 || line[len] != ':')
            continue;
        line += len + 1;
        line += strspn(line, " ");
        snprintf(value, size, "%.*s", (int)strcspn(line, "\r"), line);
        return;
    }
}

static bool receive(int fd, struct message *message)
{
    size_t len = 0, want = SIZE_MAX;
    char length[16];
    message->body = NULL;
    while (len < want && len < sizeof(message->bytes) - 1) {
        ssize_t n = recv(fd, message->bytes + len, sizeof(message->bytes) - 1 - len, 0);
        if (n <= 0)
            return false;
        len += (size_t)n;
        message->bytes[len] = '\0';
        char *end = strstr(message->bytes, "\r\n\r\n");
        if (!end || message->body)
            continue;
        message->body = end + 4;
        field(message, "content-length", length, sizeof(length));
        long long body_len = number(length);
        if (body_len < 0 || body_len > (long long)sizeof(message->bytes))
            return false;
        message->body_len = (size_t)body_len;
        want = (size_t)(message->body - message->bytes) + message->body_len;
    }
    field(message, "webhook-id", message->id, sizeof(message->id));
    field(message, "webhook-timestamp", message->timestamp, sizeof(message->timestamp));
    field(message, "webhook-signature", message->signatures, sizeof(message->signatures));
    return len == want;
}

int main(int argc, char **argv)
{
    static const char fine[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    static const char bad[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    static struct message message;
    const char *secret = getenv("WEBHOOK_SECRET");
    const struct timeval patience = {.tv_sec = 10}; /* who sends nothing does not hold up the others for longer */
    long long port = argc == 2 ? number(argv[1]) : -1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!secret || port < 0 || port > 65535 || listener < 0)
        return 1;
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 64) != 0) {
        close(listener);
        return 1;
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        bool whole = receive(fd, &message), good = whole && verify(&message, secret);
        if (good) /* once for each message.id: keep those where a restart does not lose them */
            printf("received %.*s\n", (int)message.body_len, message.body);
        fflush(stdout);
        if (whole)
            (void)!write(fd, good ? fine : bad, strlen(good ? fine : bad));
        close(fd);
    }
}
