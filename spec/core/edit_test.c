/* spec/core/edit_test.c - where a key ends. */
#include "test.h"

#include "io/edit.h"

static size_t key_len(const char *bytes)
{
    return neap_edit_key_len(bytes, strlen(bytes));
}

static void a_letter_is_a_key(void)
{
    CHECK(key_len("ab") == 1 && key_len("\003x") == 1 && key_len("\177") == 1);
    CHECK(key_len("") == 0);
    CHECK(neap_edit_key_len("\0a", 2) == 1);
}

static void a_letter_of_several_bytes_is_one_key(void)
{
    CHECK(key_len("\303\244x") == 2 && key_len("\342\202\254x") == 3);
    CHECK(key_len("\360\237\230\200") == 4);
    CHECK(key_len("\303") == 0 && key_len("\342\202") == 0);
    CHECK(key_len("\200") == 1);            /* no beginning: by itself */
}

static void an_arrow_is_one_key(void)
{
    CHECK(key_len("\033[Ax") == 3 && key_len("\033OBx") == 3);
    CHECK(key_len("\033[1;5Cx") == 6 && key_len("\033[3~") == 4);
    CHECK(key_len("\033") == 0 && key_len("\033[") == 0 && key_len("\033[1;") == 0);
    CHECK(key_len("\033O") == 0);
}

static void a_prefix_waits_for_its_letter(void)
{
    CHECK(key_len("\033b") == 2 && key_len("\030\030") == 2 && key_len("\030") == 0);
}

int main(void)
{
    RUN(a_letter_is_a_key);
    RUN(a_letter_of_several_bytes_is_one_key);
    RUN(an_arrow_is_one_key);
    RUN(a_prefix_waits_for_its_letter);
    return REPORT();
}
