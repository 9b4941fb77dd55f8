/* bind/modules.h - the list of neap.core.* modules, loaded by `require`. */
#ifndef NEAP_BIND_MODULES_H
#define NEAP_BIND_MODULES_H

#include <lua.h>

#define NEAP_BIND_MODULES(X) \
    X(barrier)               \
    X(blocking)              \
    X(chan)                  \
    X(cond)                  \
    X(context)               \
    X(coroutine)             \
    X(deferred)              \
    X(edit)                  \
    X(error)                 \
    X(event)                 \
    X(file)                  \
    X(host)                  \
    X(isolate)               \
    X(json)                  \
    X(latch)                 \
    X(mutex)                 \
    X(port)                  \
    X(proc)                  \
    X(rwlock)                \
    X(saga)                  \
    X(scope)                 \
    X(select)                \
    X(sem)                   \
    X(signal)                \
    X(stream)                \
    X(task)                  \
    X(test)                  \
    X(text)                  \
    X(time)                  \
    X(tree)                  \
    X(work)

#define NEAP_BIND_DECLARE(name) int luaopen_neap_core_##name(lua_State *L);
NEAP_BIND_MODULES(NEAP_BIND_DECLARE)
#undef NEAP_BIND_DECLARE

/* Not for require: its functions are those of `string`, and a traceback is to name
 * them so. */
int luaopen_neap_core_pattern(lua_State *L);

#endif
