#include "base/buf.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* The first allocation: a line of a file, a name, a small parcel. */
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

void neap_buf_consume(neap_buf *buf, size_t n)
{
    if (n >= buf->len) {
        neap_buf_clear(buf);
        return;
    }
    buf->len -= n;
    memmove(buf->data, buf->data + n, buf->len + 1);
}
