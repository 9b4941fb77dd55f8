/* bind/place.h - where in a script something happened, as a number.
 *
 * The host's own Lua, whose chunks begin with "=neap/" and "=cli/", is no place to
 * blame: what is looked for is the line of the script that called it.
 *
 * Every spawn notes its line; a number of 24 bits keeps a task small. Places are
 * few: one entry for each line that ever spawned.
 *
 * Ownership  The host's; entries live as long as it does.
 * Errors     0 where nothing is known, without memory, or above NEAP_PLACE_MAX.
 */
#ifndef NEAP_BIND_PLACE_H
#define NEAP_BIND_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

/* Is a function with that `source` (lua_Debug) the host's own Lua? */
bool neap_place_is_ours(const char *source);
/* Find the script's innermost line on the stack of `co`, from `level` on. Without one
 * false, and the innermost line of the host's own Lua; `currentline` is 0 without any. */
bool neap_place_find(lua_State *co, int level, lua_Debug *ar);

#define NEAP_PLACE_MAX ((UINT32_C(1) << 24) - 1)

typedef struct neap_places neap_places;

neap_places *neap_places_new(void);
void neap_places_free(neap_places *places);
/* The number of the script's line that called the running C function. */
uint32_t neap_places_here(neap_places *places, lua_State *L);
/* "order.lua:12", or "?" for 0. */
const char *neap_places_name(const neap_places *places, uint32_t place);

#endif
