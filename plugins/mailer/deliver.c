/* SPDX-License-Identifier: MIT */
#include "deliver.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/status.h"

_Static_assert(DELIVER_WHY >= CURL_ERROR_SIZE, "libcurl writes that much");

static int fail(struct delivery *delivery, const char *what, int error)
{
    (void)snprintf(delivery->why, sizeof(delivery->why), "%s: %s", what, strerror(error));
    return BP_ERROR;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return true;
}

/* Complete under another name first: who watches the folder sees whole messages. */
static int deliver_file(struct delivery *delivery)
{
    char hidden[96], name[96];
    (void)snprintf(hidden, sizeof(hidden), ".%.80s", delivery->name);
    (void)snprintf(name, sizeof(name), "%.80s.eml", delivery->name);
    if (mkdir(delivery->folder, S_IRWXU) != 0 && errno != EEXIST)
        return fail(delivery, delivery->folder, errno);
    int folder = open(delivery->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return fail(delivery, delivery->folder, errno);
    int fd = openat(folder, hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    int error = fd < 0 || !write_all(fd, delivery->message, strlen(delivery->message)) ? errno : 0;
    if (fd >= 0 && close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && renameat(folder, hidden, folder, name) != 0)
        error = errno;
    if (error != 0 && fd >= 0)
        unlinkat(folder, hidden, 0);
    close(folder);
    return error != 0 ? fail(delivery, "the message could not be written", error) : 0;
}

struct reading {
    const char *at;
    size_t left;
};

static size_t read_message(char *buffer, size_t size, size_t count, void *argument)
{
    struct reading *reading = argument;
    size_t len = size * count < reading->left ? size * count : reading->left;
    memcpy(buffer, reading->at, len);
    reading->at += len;
    reading->left -= len;
    return len;
}

static void set_options(CURL *curl, struct delivery *delivery, struct reading *reading, struct curl_slist *recipients)
{
    static const long encryptions[] = {[ENCRYPTION_REQUIRED] = CURLUSESSL_ALL,
                                       [ENCRYPTION_OPPORTUNISTIC] = CURLUSESSL_TRY,
                                       [ENCRYPTION_NONE] = CURLUSESSL_NONE};
    curl_easy_setopt(curl, CURLOPT_URL, delivery->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(delivery->timeout / BP_MILLISECOND));
    curl_easy_setopt(curl, CURLOPT_USE_SSL, encryptions[delivery->encryption]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, delivery->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
    curl_easy_setopt(curl, CURLOPT_READDATA, reading);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, delivery->why);
    if (delivery->user[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, delivery->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, delivery->password);
    }
    if (delivery->ca_file[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_CAINFO, delivery->ca_file);
}

static int deliver_smtp(struct delivery *delivery)
{
    char to[400];
    long answer = 0;
    struct reading reading = {delivery->message, strlen(delivery->message)};
    (void)snprintf(to, sizeof(to), "<%s>", delivery->to);
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    CURL *curl = recipients ? curl_easy_init() : NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl) {
        set_options(curl, delivery, &reading, recipients);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(recipients);
    if (code == CURLE_OK)
        return 0;
    /* 5yz: not to be repeated (RFC 5321 4.2.1); of logging in it may be a mistake that somebody mends. */
    delivery->hopeless = answer >= 500 && answer < 600 && code != CURLE_LOGIN_DENIED;
    if (delivery->why[0] == '\0')
        (void)snprintf(delivery->why, sizeof(delivery->why), "%s", curl_easy_strerror(code));
    return BP_ERROR;
}

int deliver(void *argument)
{
    struct delivery *delivery = argument;
    delivery->why[0] = '\0';
    delivery->hopeless = false;
    return delivery->transport == TRANSPORT_SMTP ? deliver_smtp(delivery) : deliver_file(delivery);
}
