#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* The first allocation: a line of a log, a head of a response. */
#define FIRST_CAP 64

void neap_buf_init(neap_buf *buf)
{
    *buf = (neap_buf){ 0 };
}

void neap_buf_deinit(neap_buf *buf)
{
    neap_mem_free(buf->data);
    neap_buf_init(buf);
}

void neap_buf_clear(neap_buf *buf)
{
    buf->len = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

bool neap_buf_try_reserve(neap_buf *buf, size_t n)
{
    /* A length beyond half the address space is no wish but a bug upstream. */
    if (n >= SIZE_MAX / 2 - buf->len)
        return false;
    size_t need = buf->len + n + 1;

    if (need > buf->cap) {
        size_t cap = buf->cap > 0 ? buf->cap * 2 : FIRST_CAP;
        if (cap < need)
            cap = need;
        char *data = neap_mem_try_realloc(buf->data, cap);
        if (data == NULL)
            return false;
        buf->data = data;
        buf->data[buf->len] = '\0';
        buf->cap = cap;
    }
    return true;
}

char *neap_buf_reserve(neap_buf *buf, size_t n)
{
    if (!neap_buf_try_reserve(buf, n))
        neap_mem_exhausted();
    return buf->data + buf->len;
}

void neap_buf_commit(neap_buf *buf, size_t n)
{
    assert(n < buf->cap - buf->len);    /* no more than was reserved */
    buf->len += n;
    buf->data[buf->len] = '\0';
}

void neap_buf_append(neap_buf *buf, const void *bytes, size_t n)
{
    char *end = neap_buf_reserve(buf, n);
    if (n > 0)
        memcpy(end, bytes, n);
    neap_buf_commit(buf, n);
}

void neap_buf_text(neap_buf *buf, const char *text)
{
    neap_buf_append(buf, text, strlen(text));
}

void neap_buf_char(neap_buf *buf, char c)
{
    neap_buf_append(buf, &c, 1);
}

void neap_buf_printf(neap_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);

    /* Most texts fit what is there; only a longer one is made twice. */
    char *end = neap_buf_reserve(buf, FIRST_CAP);
    size_t room = buf->cap - buf->len;
    int n = vsnprintf(end, room, fmt, args);
    assert(n >= 0);             /* only a wrong format fails, and -Wformat sees it */
    if ((size_t)n >= room) {
        end = neap_buf_reserve(buf, (size_t)n);
        vsnprintf(end, (size_t)n + 1, fmt, again);
    }
    neap_buf_commit(buf, (size_t)n);
    va_end(again);
    va_end(args);
}

void neap_buf_consume(neap_buf *buf, size_t n)
{
    if (n >= buf->len) {
        neap_buf_clear(buf);
        return;
    }
    buf->len -= n;
    memmove(buf->data, buf->data + n, buf->len + 1);
}
