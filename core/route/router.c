/* SPDX-License-Identifier: MIT */
/*
 * A node stands for a run of bytes of literal text, or for one whole segment that is a parameter. A parameter hangs below the node whose
 * text ends with the slash before it. Each node is reached in one way only, so a search visits each at most once.
 */
#include "core/route/router.h"

#include "backplane/status.h"

#include <stdlib.h>

#define METHODS (BP_OPTIONS + 1)

struct node {
    bp_str text;            /* literal bytes, or the parameter's name; a slice of an added path */
    struct node *literals;  /* children, by first byte all different */
    struct node *next;      /* sibling in literals */
    struct node *parameter; /* matches the segment that begins here */
    uint32_t methods;       /* bit (1 << method) */
    void *values[METHODS];
};

struct router {
    struct node root;
};

int router_new(struct router **ret_router)
{
    struct router *router = calloc(1, sizeof *router);
    if (!router)
        return BP_NOMEM;
    router->root.text = BP_STR("");
    *ret_router = router;
    return 0;
}

static void free_children(struct node *node)
{
    while (node->literals) {
        struct node *child = node->literals;
        node->literals = child->next;
        free_children(child);
        free(child);
    }
    if (node->parameter)
        free_children(node->parameter);
    free(node->parameter);
}

struct router *router_free(struct router *router)
{
    if (router)
        free_children(&router->root);
    free(router);
    return NULL;
}

/* The path's next piece: "{name}" gives the name, anything else the literal text up to the next parameter. */
static bp_str next_piece(const char **path, bool *ret_parameter)
{
    const char *start = *path;
    *ret_parameter = *start == '{';
    size_t len = *ret_parameter ? strcspn(start, "}") : strcspn(start, "{");
    *path = start + len + (*ret_parameter ? 1 : 0);
    return *ret_parameter ? bp_str_n(start + 1, len - 1) : bp_str_n(start, len);
}

static bool is_dots(const char *segment, size_t len)
{
    return (len == 1 && segment[0] == '.') || (len == 2 && segment[0] == '.' && segment[1] == '.');
}

/* Whether path is well-formed, and something that a normalised path can be. */
static bool is_well_formed(const char *path)
{
    bp_str names[ROUTER_PARAMS];
    size_t count = 0;
    if (*path != '/')
        return false;
    while (*path) {
        const char *segment = path + 1;
        size_t len = strcspn(segment, "/");
        path = segment + len;
        if ((len == 0 && *path) || is_dots(segment, len))
            return false;
        if (strcspn(segment, "{}") >= len)
            continue;
        if (*segment != '{' || len < 3 || strcspn(segment + 1, "{}") != len - 2 || segment[len - 1] != '}' ||
            count == ROUTER_PARAMS)
            return false;
        names[count] = bp_str_n(segment + 1, len - 2);
        for (size_t i = 0; i < count; i++)
            if (bp_str_eq(names[i], names[count]))
                return false;
        count++;
    }
    return true;
}

static size_t common_len(bp_str a, bp_str b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.ptr[len] == b.ptr[len])
        len++;
    return len;
}

static struct node *literal_child(const struct node *node, char first)
{
    struct node *child = node->literals;
    while (child && child->text.ptr[0] != first)
        child = child->next;
    return child;
}

static void *any_value(const struct node *node)
{
    for (size_t i = 0; i < METHODS; i++)
        if (node->methods & 1u << i)
            return node->values[i];
    for (const struct node *child = node->literals; child; child = child->next) {
        void *value = any_value(child);
        if (value)
            return value;
    }
    return node->parameter ? any_value(node->parameter) : NULL;
}

/* Follows path without changing anything: finds what it would clash with. */
static int check(const struct router *router, uint32_t method, const char *path, void **ret_other)
{
    const struct node *node = &router->root, *renamed = NULL;
    bool parameter;
    while (*path) {
        bp_str piece = next_piece(&path, &parameter);
        if (parameter) {
            node = node->parameter;
            if (node && !renamed && !bp_str_eq(node->text, piece))
                renamed = node;
        }
        while (node && !parameter && piece.len > 0) {
            node = literal_child(node, piece.ptr[0]);
            if (node && common_len(node->text, piece) < node->text.len)
                node = NULL;
            if (node)
                piece = bp_str_n(piece.ptr + node->text.len, piece.len - node->text.len);
        }
        if (!node)
            break;
    }
    if (node && node->methods & 1u << method) {
        *ret_other = node->values[method];
        return ROUTER_DUPLICATE;
    }
    if (renamed) {
        *ret_other = any_value(renamed);
        return ROUTER_AMBIGUOUS;
    }
    return 0;
}

/* Cuts child's text after len bytes; what follows moves to a new node below it. */
static bool split(struct node *child, size_t len)
{
    struct node *rest = malloc(sizeof *rest);
    if (!rest)
        return false;
    *rest = *child;
    rest->text = bp_str_n(child->text.ptr + len, child->text.len - len);
    rest->next = NULL;
    *child = (struct node){.text = bp_str_n(child->text.ptr, len), .literals = rest, .next = child->next};
    return true;
}

static struct node *new_node(bp_str text)
{
    struct node *node = calloc(1, sizeof *node);
    if (node)
        node->text = text;
    return node;
}

/* The node where text ends below node, made when missing; NULL when out of memory. */
static struct node *descend_literal(struct node *node, bp_str text)
{
    while (text.len > 0) {
        struct node *child = literal_child(node, text.ptr[0]);
        if (!child) {
            child = new_node(text);
            if (!child)
                return NULL;
            child->next = node->literals;
            node->literals = child;
            return child;
        }
        size_t len = common_len(child->text, text);
        if (len < child->text.len && !split(child, len))
            return NULL;
        text = bp_str_n(text.ptr + len, text.len - len);
        node = child;
    }
    return node;
}

static struct node *descend_parameter(struct node *node, bp_str name)
{
    if (!node->parameter)
        node->parameter = new_node(name);
    return node->parameter;
}

int router_add(struct router *router, uint32_t method, const char *path, void *value, void **ret_other)
{
    struct node *node = &router->root;
    bool parameter;
    if (!is_well_formed(path))
        return ROUTER_MALFORMED;
    int status = check(router, method, path, ret_other);
    if (status != 0)
        return status;
    while (*path && node) {
        bp_str piece = next_piece(&path, &parameter);
        node = parameter ? descend_parameter(node, piece) : descend_literal(node, piece);
    }
    if (!node)
        return BP_NOMEM;
    node->values[method] = value;
    node->methods |= 1u << method;
    return 0;
}

/* The methods that a node answers, the implied ones too. */
static uint32_t methods_of(const struct node *node)
{
    uint32_t methods = node->methods;
    if (methods & 1u << BP_GET)
        methods |= 1u << BP_HEAD;
    return methods ? methods | 1u << BP_OPTIONS : 0;
}

static bool take_value(const struct node *node, uint32_t method, struct router_match *match)
{
    match->allowed |= methods_of(node);
    if (method == BP_HEAD && !(node->methods & 1u << BP_HEAD))
        method = BP_GET;
    if (method >= METHODS || !(node->methods & 1u << method))
        return false;
    match->value = node->values[method];
    return true;
}

/* Recursion is as deep as the tree, not as the path. */
static bool find(const struct node *node, uint32_t method, const char *at, const char *end, struct router_match *match)
{
    if (at == end)
        return take_value(node, method, match);
    const struct node *child = literal_child(node, *at);
    if (child && (size_t)(end - at) >= child->text.len && memcmp(at, child->text.ptr, child->text.len) == 0 &&
        find(child, method, at + child->text.len, end, match))
        return true;
    if (!node->parameter || *at == '/')
        return false;
    const char *slash = memchr(at, '/', (size_t)(end - at));
    const char *stop = slash ? slash : end;
    uint32_t index = match->param_count++;
    match->names[index] = node->parameter->text;
    match->params[index] = bp_str_n(at, (size_t)(stop - at));
    if (find(node->parameter, method, stop, end, match))
        return true;
    match->param_count--;
    return false;
}

bool router_find(const struct router *router, uint32_t method, bp_str path, struct router_match *ret_match)
{
    ret_match->value = NULL;
    ret_match->allowed = 0;
    ret_match->param_count = 0;
    return find(&router->root, method, path.ptr, path.ptr + path.len, ret_match);
}
