#include "bind/permit.h"

static const neap_bind_type PERMIT = { "neap.permit" };

struct permit {
    const neap_bind_type *type;
    neap_sem             *sem;      /* kept alive by user value 1 */
    neap_held             held;     /* by its task until it is released */
    uint32_t              count;
};

static struct permit *permit_of(const neap_held *held)
{
    return neap_container(held, struct permit, held);
}

/* True if `task` has a permit of `sem`. */
static bool has_permit(const neap_task *task, const neap_sem *sem)
{
    const neap_held *held = NULL;

    while ((held = neap_held_newest(task, held)) != NULL)
        if (held->class->take_back == neap_bind_permit_take_back && permit_of(held)->sem == sem)
            return true;
    return false;
}

/* Push a permit of `sem`, which is in the box at `box`. Nobody holds it yet. */
static struct permit *new_permit(lua_State *L, int box, neap_sem *sem, uint32_t n,
                                 const neap_bind_way *way)
{
    box = lua_absindex(L, box);
    struct permit *permit = neap_bind_new(L, &PERMIT, sizeof *permit, 1);
    permit->sem = sem;
    permit->count = n;
    neap_held_init(&permit->held, &way->held);
    lua_pushvalue(L, box);
    lua_setiuservalue(L, -2, 1);
    return permit;
}

/* Push a permit if the slots are free, else nothing. */
static bool take_now(lua_State *L, int box, neap_sem *sem, uint32_t n, const neap_bind_way *way)
{
    neap_task *task = neap_bind_holder(L, way->op);

    if (!neap_sem_is_free(sem, n) || (way->single && has_permit(task, sem)))
        return false;
    struct permit *permit = new_permit(L, box, sem, n, way);
    neap_bind_hold(L, -1, task, &permit->held); /* the last line that can raise */
    if (neap_sem_try_acquire(sem, n))
        return true;
    neap_bind_drop(L, &permit->held);   /* a finaliser has taken them meanwhile */
    lua_pop(L, 1);
    return false;
}

/* The wait has ended. [1] box, [2] permit. */
static int acquire_k(lua_State *L, int status, lua_KContext ctx)
{
    const neap_bind_way *way = (const neap_bind_way *)ctx;
    struct permit *permit = lua_touserdata(L, 2);
    int result = permit->held.task->wait.result;
    (void)status;               /* LUA_YIELD: the only way in */

    if (result != NEAP_OK) {
        neap_bind_drop(L, &permit->held);
        return neap_bind_fail(L, result, way->op);
    }
    return 1;
}

int neap_bind_permit_acquire(lua_State *L, neap_sem *sem, uint32_t n, const neap_bind_way *way)
{
    neap_task *task = neap_bind_checkpoint(L, way->op);

    if (way->single && has_permit(task, sem))
        neap_bind_usage(L, "%s: this task holds it already", way->op);
    lua_settop(L, 1);
    struct permit *permit = new_permit(L, 1, sem, n, way);
    neap_bind_hold(L, 2, task, &permit->held);  /* the last line that can raise */
    if (neap_sem_try_acquire(sem, n))
        return neap_bind_return(L, 1);
    way->park(sem, task, n);
    return neap_bind_suspend(L, (lua_KContext)way, acquire_k);
}

int neap_bind_permit_try(lua_State *L, neap_sem *sem, uint32_t n, const neap_bind_way *way)
{
    if (take_now(L, 1, sem, n, way))
        return 1;
    lua_pushnil(L);
    lua_pushliteral(L, "locked");
    return 2;
}

void neap_bind_permit_take_back(neap_held *held)
{
    struct permit *permit = permit_of(held);

    neap_held_remove(held);
    neap_sem_release(permit->sem, permit->count);
}

int neap_bind_permit_now(lua_State *L, int arm, const neap_bind_way *way)
{
    const neap_bind_arm *it = lua_touserdata(L, arm);

    lua_getiuservalue(L, arm, 1);
    bool taken = take_now(L, -1, it->object, (uint32_t)it->number, way);
    lua_remove(L, taken ? -2 : -1);
    return taken ? 1 : NEAP_BIND_ARM_WAITS;
}

void neap_bind_permit_prepare(lua_State *L, int arm, const neap_bind_way *way)
{
    const neap_bind_arm *it = lua_touserdata(L, arm);

    lua_getiuservalue(L, arm, 1);
    new_permit(L, -1, it->object, (uint32_t)it->number, way);
    lua_remove(L, -2);
}

/* [1] permit */
static int hold(lua_State *L)
{
    struct permit *permit = lua_touserdata(L, 1);

    neap_bind_hold(L, 1, neap_bind_holder(L, "neap.select"), &permit->held);
    return 0;
}

int neap_bind_permit_finish(lua_State *L, int prepared)
{
    struct permit *permit = lua_touserdata(L, prepared);

    /* Only now is it known that this arm is the one; without memory for that the
     * slots go back. */
    lua_pushcfunction(L, hold);
    lua_pushvalue(L, prepared);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        neap_sem_release(permit->sem, permit->count);
        return lua_error(L);
    }
    lua_pushvalue(L, prepared);
    return 1;
}

/* permit:release() and __close: the same, any number of times. */
static int l_release(lua_State *L)
{
    struct permit *permit = neap_bind_arg(L, 1, &PERMIT);

    neap_bind_owner(L, &permit->held, "permit:release");
    if (permit->held.task != NULL) {
        neap_bind_drop(L, &permit->held);
        neap_sem_release(permit->sem, permit->count);
    }
    return 0;
}

void neap_bind_permit_open(lua_State *L)
{
    static const luaL_Reg permit[] = {
        { "release", l_release }, { "__close", l_release }, { NULL, NULL } };

    lua_newtable(L);
    neap_bind_methods(L, &PERMIT, permit, NULL);
    lua_pop(L, 1);
}
