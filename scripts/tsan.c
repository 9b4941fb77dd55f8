/* scripts/tsan.c - linked into builds with the thread sanitizer: what it does not
 * know of the libraries, which are not built for it. */
#include <setjmp.h>

_Noreturn void __longjmp_chk(jmp_buf env, int value);
const char *__tsan_default_suppressions(void);

/* Debian's Lua leaves its errors and yields by this. The sanitizer knows longjmp
 * alone: it would count every function left so as still running, and stop at 65,536. */
_Noreturn void __longjmp_chk(jmp_buf env, int value)
{
    longjmp(env, value);
}

/* libuv closes descriptors by the system call itself. Unseen, so that the next loop
 * which gets the same number seems to share it with the one before. */
const char *__tsan_default_suppressions(void)
{
    return "race:^uv__epoll_init$\n"
           "race:^uv_pipe$\n"
           "race:^uv_async_init$\n";
}
