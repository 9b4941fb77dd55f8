/* bind/modules.h - the list of neap.core.* modules, loaded by `require`. */
#ifndef NEAP_BIND_MODULES_H
#define NEAP_BIND_MODULES_H

#include <lua.h>

#define NEAP_BIND_MODULES(X) \
    X(blocking)              \
    X(coroutine)             \
    X(error)                 \
    X(host)                  \
    X(pattern)               \
    X(json)                  \
    X(scope)                 \
    X(task)                  \
    X(text)                  \
    X(time)                  \
    X(work)

#define NEAP_BIND_DECLARE(name) int luaopen_neap_core_##name(lua_State *L);
NEAP_BIND_MODULES(NEAP_BIND_DECLARE)
#undef NEAP_BIND_DECLARE

#endif
