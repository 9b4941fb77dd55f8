/* UTF-8: every code point is accepted in its one form, and nothing else is. */
#include "test.h"

#include "base/utf8.h"

/* The bytes of a code point, by the definition and without its limits. */
static size_t put(unsigned code, size_t size, char *out)
{
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    if (size == 1) {
        out[0] = (char)code;
        return 1;
    }
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[size] | code);
    return size;
}

static void each_code_point_has_one_form(void)
{
    static const unsigned most[] = { 0, 0x7f, 0x7ff, 0xffff, 0x1fffff };
    unsigned wrong = 0;
    for (size_t size = 1; size <= 4; size++) {
        for (unsigned code = 0; code <= most[size]; code++) {
            char bytes[4];
            size_t n = put(code, size, bytes);
            bool shortest = size == 1 || code > most[size - 1];
            bool surrogate = code >= 0xd800 && code <= 0xdfff;
            bool valid = shortest && !surrogate && code <= 0x10ffff;
            wrong += neap_utf8_valid(bytes, n) != (valid ? n : 0);
        }
    }
    CHECK(wrong == 0);
}

static void lone_and_missing_tails_are_refused(void)
{
    CHECK(neap_utf8_valid("\x80", 1) == 0);
    CHECK(neap_utf8_valid("a\xc3", 2) == 1);
    CHECK(neap_utf8_valid("\xe2\x82", 2) == 0);
    CHECK(neap_utf8_valid("\xf0\x9f\x98", 3) == 0);
    CHECK(neap_utf8_valid("\xe2\x82" "a", 3) == 0);
    CHECK(neap_utf8_valid("\xff", 1) == 0);
}

static void what_lies_behind_the_end_does_not_count(void)
{
    CHECK(neap_utf8_valid("\xc3\xa9", 1) == 0);
    CHECK(neap_utf8_valid("a\xe2\x82\xac", 3) == 1);
    CHECK(neap_utf8_valid("\xf0\x9f\x98\x80", 3) == 0);
}

static void the_offset_is_found_wherever_it_stands(void)
{
    /* Around the blocks of eight that are looked at together. */
    for (size_t at = 0; at < 40; at++) {
        char text[40];
        memset(text, 'x', sizeof text);
        CHECK(neap_utf8_valid(text, sizeof text) == sizeof text);
        text[at] = (char)0xbf;
        CHECK(neap_utf8_valid(text, sizeof text) == at);
    }
}

static void nothing_and_zero_bytes_are_valid(void)
{
    CHECK(neap_utf8_valid("", 0) == 0);
    CHECK(neap_utf8_valid("a\0\xc3\xa9", 4) == 4);
}

int main(void)
{
    RUN(each_code_point_has_one_form);
    RUN(lone_and_missing_tails_are_refused);
    RUN(what_lies_behind_the_end_does_not_count);
    RUN(the_offset_is_found_wherever_it_stands);
    RUN(nothing_and_zero_bytes_are_valid);
    return REPORT();
}
