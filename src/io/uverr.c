#include "io/uverr.h"

#include <errno.h>

#include <uv.h>

#include "base/err.h"

int neap_uverr(int status)
{
    if (status >= 0)
        return NEAP_OK;
    switch (status) {       /* a status is the negative of the system's number */
#define CASE(code, kind, text) case -code: return NEAP_##code;
    NEAP_SYSTEM_ERRORS(CASE)
#undef CASE
    case UV_ECANCELED:
        return NEAP_ECANCELLED;
    case UV_ENOMEM:
        return NEAP_ENOMEM;
    case UV_EINVAL:
        return NEAP_EINVAL;
    case UV_ETIMEDOUT:
        return NEAP_ETIMEDOUT;
    default:
        return NEAP_EIO;
    }
}

int neap_uverr_errno(void)
{
    return neap_uverr(uv_translate_sys_error(errno));
}
