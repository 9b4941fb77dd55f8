/* Growable bytes: what is added stands there, ended by a zero byte. */
#include "test.h"

#include "base/buf.h"

static void an_empty_buffer_owns_nothing(void)
{
    neap_buf buf;
    neap_buf_init(&buf);
    CHECK(buf.data == NULL && buf.len == 0);
    neap_buf_clear(&buf);
    neap_buf_consume(&buf, 5);
    CHECK(buf.data == NULL && buf.len == 0);
    neap_buf_deinit(&buf);
}

static void it_is_a_c_string_after_every_call(void)
{
    neap_buf buf;
    neap_buf_init(&buf);
    neap_buf_text(&buf, "");
    CHECK(strcmp(buf.data, "") == 0);
    neap_buf_text(&buf, "order");
    CHECK(strcmp(buf.data, "order") == 0);
    neap_buf_char(&buf, '-');
    CHECK(strcmp(buf.data, "order-") == 0);
    neap_buf_append(&buf, "123456", 2);
    CHECK(strcmp(buf.data, "order-12") == 0);
    neap_buf_text(&buf, "007");
    CHECK(strcmp(buf.data, "order-12007") == 0 && buf.len == 11);
    neap_buf_consume(&buf, 6);
    CHECK(strcmp(buf.data, "12007") == 0 && buf.len == 5);
    neap_buf_clear(&buf);
    CHECK(strcmp(buf.data, "") == 0 && buf.len == 0);
    neap_buf_deinit(&buf);
}

static void bytes_survive_growth(void)
{
    neap_buf buf;
    neap_buf_init(&buf);
    for (int i = 0; i < 100000; i++)
        neap_buf_char(&buf, (char)i);
    CHECK(buf.len == 100000 && buf.len < buf.cap);
    int changed = 0;
    for (int i = 0; i < 100000; i++)
        changed += buf.data[i] != (char)i;
    CHECK(changed == 0);
    neap_buf_deinit(&buf);
}

static void reserved_room_is_filled_in_part(void)
{
    neap_buf buf;
    neap_buf_init(&buf);
    neap_buf_text(&buf, "a");
    char *room = neap_buf_reserve(&buf, 1000);
    memset(room, 'b', 1000);
    neap_buf_commit(&buf, 2);
    CHECK(strcmp(buf.data, "abb") == 0 && buf.len == 3);
    neap_buf_deinit(&buf);
}

static void zero_bytes_are_bytes(void)
{
    neap_buf buf;
    neap_buf_init(&buf);
    neap_buf_append(&buf, "a\0b", 3);
    neap_buf_append(&buf, NULL, 0);
    CHECK(buf.len == 3 && memcmp(buf.data, "a\0b", 4) == 0);
    neap_buf_deinit(&buf);
}

static void clear_keeps_the_memory_and_deinit_does_not(void)
{
    neap_buf buf;
    neap_buf_init(&buf);
    neap_buf_reserve(&buf, 200);
    size_t cap = buf.cap;
    neap_buf_clear(&buf);
    CHECK(buf.cap == cap);
    neap_buf_deinit(&buf);
    CHECK(buf.cap == 0 && buf.data == NULL);
    neap_buf_text(&buf, "again");
    CHECK(strcmp(buf.data, "again") == 0);
    neap_buf_deinit(&buf);
}

int main(void)
{
    RUN(an_empty_buffer_owns_nothing);
    RUN(it_is_a_c_string_after_every_call);
    RUN(bytes_survive_growth);
    RUN(reserved_room_is_filled_in_part);
    RUN(zero_bytes_are_bytes);
    RUN(clear_keeps_the_memory_and_deinit_does_not);
    return REPORT();
}
