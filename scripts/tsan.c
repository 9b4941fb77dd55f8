/* scripts/tsan.c - linked into builds with the thread sanitizer.
 *
 * Debian's Lua leaves its errors and yields by __longjmp_chk. The sanitizer knows
 * longjmp, but not that one: it would count every function left so as still running,
 * and stop at 65,536. The check is not needed here. */
#include <setjmp.h>

_Noreturn void __longjmp_chk(jmp_buf env, int value);

_Noreturn void __longjmp_chk(jmp_buf env, int value)
{
    longjmp(env, value);
}
