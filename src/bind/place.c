#include "bind/place.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { NAME_SIZE = LUA_IDSIZE + 12, FIRST_SIZE = 64 };

struct entry {
    const char *source;     /* Lua's string; with the line, the key */
    int         line;
    int         length;     /* of the chunk's name at the beginning of `name` */
    char        name[NAME_SIZE];
};

/* Open addressing; a place is its slot + 1, so slots never move: a table that
 * is three quarters full is chained to one of twice its size. */
struct neap_places {
    uint32_t      size;
    uint32_t      used;
    uint32_t      first;    /* number of slots in the tables before */
    neap_places  *next;
    struct entry  slots[];
};

bool neap_place_is_ours(const char *source)
{
    return source[0] == '=' &&
           (strncmp(source, "=neap/", 6) == 0 || strncmp(source, "=cli/", 5) == 0);
}

bool neap_place_find(lua_State *co, int level, lua_Debug *ar)
{
    int ours = -1;      /* innermost level of the host's own Lua */

    for (; lua_getstack(co, level, ar); level++) {
        lua_getinfo(co, "Sl", ar);
        if (ar->currentline <= 0)
            continue;
        if (!neap_place_is_ours(ar->source))
            return true;
        if (ours < 0)
            ours = level;
    }
    ar->currentline = 0;
    strcpy(ar->short_src, "?");
    if (ours >= 0 && lua_getstack(co, ours, ar))
        lua_getinfo(co, "Sl", ar);
    return false;
}

static neap_places *new_table(uint32_t size, uint32_t first)
{
    size_t bytes = sizeof(neap_places) + size * sizeof(struct entry);
    neap_places *table = neap_mem_try_realloc(NULL, bytes);

    if (table != NULL) {
        memset(table, 0, bytes);
        table->size = size;
        table->first = first;
    }
    return table;
}

/* A source string may be collected and its address used for another: the name
 * is compared, too. */
static bool is_same(const struct entry *slot, const lua_Debug *ar)
{
    return slot->source == ar->source && slot->line == ar->currentline &&
           memcmp(slot->name, ar->short_src, (size_t)slot->length) == 0;
}

static uint32_t find(neap_places *table, const lua_Debug *ar)
{
    uint32_t hash = ((uint32_t)((uintptr_t)ar->source >> 4) + (uint32_t)ar->currentline) * 2654435761u;

    for (;;) {
        uint32_t at = (hash >> 8) & (table->size - 1);
        for (; table->slots[at].source != NULL; at = (at + 1) & (table->size - 1))
            if (is_same(&table->slots[at], ar))
                return table->first + at + 1;
        if (table->used < table->size / 4 * 3) {
            struct entry *slot = &table->slots[at];
            slot->source = ar->source;
            slot->line = ar->currentline;
            slot->length = (int)strlen(ar->short_src);
            snprintf(slot->name, sizeof slot->name, "%s:%d", ar->short_src, ar->currentline);
            table->used++;
            return table->first + at + 1;
        }
        if (table->next == NULL && table->first + table->size * 3 <= NEAP_PLACE_MAX)
            table->next = new_table(table->size * 2, table->first + table->size);
        if ((table = table->next) == NULL)
            return 0;
    }
}

neap_places *neap_places_new(void)
{
    return new_table(FIRST_SIZE, 0);
}

void neap_places_free(neap_places *places)
{
    while (places != NULL) {
        neap_places *next = places->next;
        neap_mem_free(places);
        places = next;
    }
}

uint32_t neap_places_here(neap_places *places, lua_State *L)
{
    lua_Debug ar;

    return neap_place_find(L, 1, &ar) ? find(places, &ar) : 0;
}

const char *neap_places_name(const neap_places *places, uint32_t place)
{
    for (; places != NULL && place > 0; places = places->next)
        if (place - 1 < places->first + places->size)
            return places->slots[place - 1 - places->first].name;
    return "?";
}
