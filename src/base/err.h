/* base/err.h - error codes of C functions, and the kinds that Lua sees.
 *
 * A function that can fail returns NEAP_OK or a negative code. A code has a
 * name (`neap_err_name`, "ECONNREFUSED"), a text for people, and the kind of
 * the error object that it becomes in Lua.
 */
#ifndef NEAP_BASE_ERR_H
#define NEAP_BASE_ERR_H

/* X(code, kind, text). A system error (base/err.h knows no errno) comes in by
 * the codes that io/uverr maps libuv's statuses to. */
#define NEAP_ERRORS(X)                                                     \
    X(ECANCELLED, "cancelled", "cancelled")                                \
    X(ETIMEDOUT, "timeout", "timed out")                                   \
    X(ECLOSED, "closed", "closed")                                         \
    X(EFULL, "limit", "full")                                              \
    X(EEMPTY, "error", "empty")                                            \
    X(ELOCKED, "error", "locked")                                          \
    X(EABANDONED, "failed", "the task that held it ended without releasing it") \
    X(ENOMEM, "error", "not enough memory")                                \
    X(EINVAL, "usage", "invalid argument")

typedef enum neap_err {
    NEAP_OK = 0,
    NEAP_ERR_BEFORE_FIRST = -64,
#define NEAP_ERR_CODE(code, kind, text) NEAP_##code,
    NEAP_ERRORS(NEAP_ERR_CODE)
#undef NEAP_ERR_CODE
} neap_err;

/* "closed", for an error object's `kind`. */
const char *neap_err_kind(int code);
/* "ECLOSED", for an error object's `code`. */
const char *neap_err_name(int code);
/* "closed", for a message. */
const char *neap_err_text(int code);

#endif
