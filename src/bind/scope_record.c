/* bind/scope_record.c - the records of open scopes, timeouts and shields. */
#include "base/mem.h"
#include "bind/scope.h"
#include "io/loop.h"

neap_bind_scope *neap_bind_scope_reserve(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    neap_bind_scope *scope = host->spare_scopes;

    if (scope == NULL) {
        if ((scope = neap_mem_try_realloc(NULL, sizeof *scope)) == NULL)
            neap_bind_memory(L);
        scope->number = 0;
        scope->next = NULL;
        host->spare_scopes = scope;
    }
    return scope;
}

neap_bind_scope *neap_bind_scope_take(lua_State *L, neap_bind_scope_form form)
{
    neap_host *host = neap_host_of(L);
    neap_bind_scope *scope = neap_bind_scope_reserve(L);

    host->spare_scopes = scope->next;
    scope->L = L;
    scope->number = ++host->numbers;
    scope->ending = (neap_bind_ending){ .form = (uint8_t)form };
    scope->hooked = false;
    scope->failed = NULL;
    return scope;
}

void neap_bind_scope_let_go(lua_State *L, neap_bind_scope_box **box)
{
    lua_State *main = neap_host_of(L)->L;       /* where there is room */

    if (*box == NULL)
        return;
    lua_pushnil(main);
    lua_rawsetp(main, LUA_REGISTRYINDEX, *box);
    *box = NULL;
}

/* It has been closed. */
static void give_back(lua_State *L, neap_bind_scope *scope)
{
    neap_host *host = neap_host_of(L);

    neap_bind_drop_cancellation(host, &scope->core);
    neap_bind_scope_let_go(L, &scope->failed);
    neap_bind_scope_let_go(L, &scope->ending.inside);
    scope->number = 0;
    scope->next = host->spare_scopes;
    host->spare_scopes = scope;
}

void neap_bind_scope_close(lua_State *L, neap_bind_scope *scope)
{
    if (scope->core.source == &scope->core)     /* its cancellation ends with it */
        neap_host_of(L)->sched.running->raised = 0;
    neap_scope_close(&scope->core);
    give_back(L, scope);
}

/* Those of killed tasks whose last task has ended. */
static void give_back_orphans(lua_State *L)
{
    neap_host *host = neap_host_of(L);
    neap_bind_scope **at = &host->orphans;

    while (*at != NULL) {
        neap_bind_scope *scope = *at;
        if (scope->core.open) {
            at = &scope->next;
        } else {
            *at = scope->next;
            give_back(L, scope);
        }
    }
    if (host->orphans == NULL && host->root_failed)
        neap_loop_stop(host->loop);
}

void neap_bind_scope_orphan(lua_State *L, neap_bind_scope *scope, neap_scope *home)
{
    neap_host *host = neap_host_of(L);
    neap_link *at, *next;

    neap_scope_cancel(&scope->core, NEAP_CANCEL_FAILED, 0);
    for (at = scope->core.tasks.next; at != &scope->core.tasks; at = next) {
        neap_task *task = neap_container(at, neap_task, link);
        next = at->next;
        if (!task->started)
            neap_bind_end_unstarted(host, neap_bind_task_of(task));
        else
            neap_bind_task_recall(neap_bind_task_of(task));
    }
    neap_scope_orphan(&scope->core, home);
    scope->next = host->orphans;
    host->orphans = scope;
    give_back_orphans(L);
}

void neap_bind_scope_end_task(lua_State *L, neap_task *task, neap_task_state state)
{
    neap_scope *own = task->scope;

    neap_task_end(task, state);
    if (own->of_task)
        give_back(L, neap_bind_scope_of(own));
    if (neap_host_of(L)->orphans != NULL)
        give_back_orphans(L);
}

static void free_inner(neap_scope *root)
{
    neap_scope *at = root, *parent;

    while (at != root || neap_link_linked(&at->inner)) {
        if (neap_link_linked(&at->inner)) {
            at = neap_container(at->inner.next, neap_scope, link);
            continue;
        }
        parent = at->parent;
        neap_link_remove(&at->link);
        neap_mem_free(neap_bind_scope_of(at));
        at = parent;
    }
}

void neap_bind_scope_free_all(neap_host *host)
{
    neap_bind_scope *scope;

    free_inner(&host->sched.root);
    while ((scope = host->spare_scopes) != NULL) {
        host->spare_scopes = scope->next;
        neap_mem_free(scope);
    }
}
