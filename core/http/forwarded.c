/* SPDX-License-Identifier: MIT */
#include "core/http/forwarded.h"

#include "core/http/scan.h"

/* The elements of all fields of one name, from the last to the first. */
struct elements {
    const struct parser_head *head;
    bp_str name;
    uint32_t field; /* fields before this one are not yet read */
    bp_str rest;    /* of the field being read */
};

static bool is_escaped(bp_str text, size_t at)
{
    size_t slashes = 0;
    while (slashes < at && text.ptr[at - 1 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 1;
}

/* Cuts the last element off rest. Commas in quotes separate nothing; quotes are matched from the right, because what a client sent, and may
 * have left open, stands on the left of what the proxies have written. */
static bp_str cut_last(bp_str *rest)
{
    bool quoted = false;
    size_t at = rest->len;
    for (; at > 0; at--) {
        char c = rest->ptr[at - 1];
        if (c == '"' && !(quoted && is_escaped(*rest, at - 1)))
            quoted = !quoted;
        else if (c == ',' && !quoted)
            break;
    }
    bp_str element = bp_str_n(rest->ptr + at, rest->len - at);
    rest->len = at > 0 ? at - 1 : 0;
    return element;
}

static bool previous_element(struct elements *e, bp_str *ret_element)
{
    for (;;) {
        while (e->rest.len > 0) {
            bp_str element = bp_str_trim(cut_last(&e->rest));
            if (element.len > 0) { /* RFC 9110 5.6.1: empty ones are none */
                *ret_element = element;
                return true;
            }
        }
        do {
            if (e->field == 0)
                return false;
            e->field--;
        } while (!bp_str_eq_nocase(e->head->fields[e->field].name, e->name));
        e->rest = e->head->fields[e->field].value;
    }
}

static struct elements elements_of(const struct parser_head *head, bp_str name)
{
    return (struct elements){.head = head, .name = name, .field = head->field_count};
}

static bool is_port(bp_str text)
{
    uint64_t port;
    return text.len <= 5 && bp_str_to_u64(text, &port) && port <= 65535;
}

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80"; bare: "2001:db8::1", too. */
static bool parse_node(bp_str text, bool bare, struct bp_address *ret)
{
    if (text.len == 0)
        return false;
    if (text.ptr[0] == '[') {
        const char *end = memchr(text.ptr, ']', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : 0;
        bp_str inside = bp_str_n(text.ptr + 1, len > 0 ? len - 1 : 0);
        if (!end || !memchr(text.ptr, ':', len) || !bp_address_parse(inside, ret))
            return false;
        bp_str behind = bp_str_n(end + 1, text.len - len - 1);
        return behind.len == 0 || (behind.ptr[0] == ':' && is_port(bp_str_n(behind.ptr + 1, behind.len - 1)));
    }
    const char *colon = memchr(text.ptr, ':', text.len);
    if (!colon)
        return bp_address_parse(text, ret);
    size_t len = (size_t)(colon - text.ptr);
    bp_str port = bp_str_n(colon + 1, text.len - len - 1);
    if (memchr(port.ptr, ':', port.len))
        return bare && bp_address_parse(text, ret);
    return is_port(port) && bp_address_parse(bp_str_n(text.ptr, len), ret);
}

static enum forwarded_word word_of(bp_str scheme)
{
    if (bp_str_eq_nocase(scheme, BP_STR("https")))
        return FORWARDED_SECURE;
    return bp_str_eq_nocase(scheme, BP_STR("http")) ? FORWARDED_PLAIN : FORWARDED_SILENT;
}

/* ---- Forwarded (RFC 7239) ---- */

struct element {
    bp_str node, scheme;
};

static bp_str take_token(bp_str *rest)
{
    size_t len = 0;
    while (len < rest->len && scan_is(rest->ptr[len], SCAN_TOKEN))
        len++;
    bp_str token = bp_str_n(rest->ptr, len);
    *rest = bp_str_n(rest->ptr + len, rest->len - len);
    return token;
}

/* What stands between the quotes. No address and no scheme needs an escape: one that has any is as good as empty. */
static bool take_quoted(bp_str *rest, bp_str *ret_text)
{
    bool escapes = false;
    size_t at = 1;
    for (; at < rest->len && rest->ptr[at] != '"'; at++)
        if (rest->ptr[at] == '\\') {
            escapes = true;
            at++;
        }
    if (at >= rest->len)
        return false;
    *ret_text = escapes ? BP_STR("") : bp_str_n(rest->ptr + 1, at - 1);
    *rest = bp_str_n(rest->ptr + at + 1, rest->len - at - 1);
    return true;
}

static void skip_space(bp_str *rest)
{
    while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
        *rest = bp_str_n(rest->ptr + 1, rest->len - 1);
}

static bool take_pair(bp_str *rest, struct element *element)
{
    bp_str value, name = take_token(rest);
    if (name.len == 0 || rest->len == 0 || rest->ptr[0] != '=')
        return false;
    *rest = bp_str_n(rest->ptr + 1, rest->len - 1);
    if (rest->len > 0 && rest->ptr[0] == '"') {
        if (!take_quoted(rest, &value))
            return false;
    } else {
        /* Many write an address with its port or brackets and no quotes. */
        size_t len = 0;
        while (len < rest->len && (scan_is(rest->ptr[len], SCAN_TOKEN) || memchr("[]:", rest->ptr[len], 3)))
            len++;
        value = bp_str_n(rest->ptr, len);
        *rest = bp_str_n(rest->ptr + len, rest->len - len);
        if (len == 0)
            return false;
    }
    bp_str *known = bp_str_eq_nocase(name, BP_STR("for"))     ? &element->node
                    : bp_str_eq_nocase(name, BP_STR("proto")) ? &element->scheme
                                                              : NULL;
    if (known && known->ptr)
        return false; /* once only: RFC 7239 4 */
    if (known)
        *known = value;
    return true;
}

static bool parse_element(bp_str text, struct element *ret)
{
    struct element element = {.node = {NULL, 0}};
    while (text.len > 0) {
        skip_space(&text);
        if (text.len > 0 && text.ptr[0] != ';' && !take_pair(&text, &element))
            return false;
        skip_space(&text);
        if (text.len > 0 && text.ptr[0] != ';')
            return false;
        if (text.len > 0)
            text = bp_str_n(text.ptr + 1, text.len - 1);
    }
    *ret = element;
    return true;
}

static bool next_standard(struct elements *e, struct bp_address *address, enum forwarded_word *word)
{
    struct bp_address named;
    struct element element;
    bp_str text;
    if (!previous_element(e, &text) || !parse_element(text, &element))
        return false;
    if (!element.node.ptr || !parse_node(element.node, false, &named))
        return false;
    *address = named;
    *word = word_of(element.scheme);
    return true;
}

/* ---- X-Forwarded-For, X-Forwarded-Proto ---- */

static bool next_x(struct elements *e, struct bp_address *address)
{
    struct bp_address named;
    bp_str text;
    if (!previous_element(e, &text) || !parse_node(text, true, &named))
        return false;
    *address = named;
    return true;
}

/* Most proxies pass one scheme on, which is the client's. Where each appends its own there is one for each address, and the one beside the
 * client's is it. Anything else was not written by proxies that agree: the nearest one's counts. */
static enum forwarded_word x_scheme(const struct parser_head *head, uint32_t hop)
{
    struct elements schemes = elements_of(head, BP_STR("x-forwarded-proto"));
    struct elements nodes = elements_of(head, BP_STR("x-forwarded-for"));
    bp_str scheme, beside = BP_STR(""), last = BP_STR("");
    uint32_t scheme_count = 0, node_count = 0;
    while (previous_element(&schemes, &scheme)) {
        if (scheme_count == 0)
            last = scheme;
        if (scheme_count == hop)
            beside = scheme;
        scheme_count++;
    }
    if (scheme_count <= 1)
        return word_of(last);
    while (previous_element(&nodes, &scheme))
        node_count++;
    return word_of(node_count == scheme_count ? beside : last);
}

void forwarded_walk(const struct parser_head *head, enum forwarded_header header, const struct bp_network *trusted,
                    size_t count, struct bp_address *address, enum forwarded_word *ret_word)
{
    bool standard = header == FORWARDED_STANDARD;
    struct elements elements = elements_of(head, standard ? BP_STR("forwarded") : BP_STR("x-forwarded-for"));
    enum forwarded_word word = FORWARDED_SILENT;
    uint32_t hops = 0;
    while (hops < FORWARDED_HOPS && bp_networks_hold(trusted, count, bp_str_n((char *)address->bytes, address->len)) &&
           (standard ? next_standard(&elements, address, &word) : next_x(&elements, address)))
        hops++;
    *ret_word = standard ? word : x_scheme(head, hops > 0 ? hops - 1 : 0);
}
