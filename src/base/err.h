/* base/err.h - error codes of C functions, and the kinds that Lua sees.
 *
 * A function that can fail returns NEAP_OK or a negative code. A code has a
 * name (`neap_err_name`, "ECONNREFUSED"), a text for people, and the kind of
 * the error object that it becomes in Lua.
 */
#ifndef NEAP_BASE_ERR_H
#define NEAP_BASE_ERR_H

/* X(code, kind, text). */
#define NEAP_ERRORS(X)                                                     \
    X(ECANCELLED, "cancelled", "cancelled")                                \
    X(ETIMEDOUT, "timeout", "timed out")                                   \
    X(ECLOSED, "closed", "closed")                                         \
    X(EFULL, "limit", "full")                                              \
    X(EDEPTH, "limit", "nested too deeply")                                \
    X(EEMPTY, "error", "empty")                                            \
    X(EABANDONED, "failed", "the task that held it ended without releasing it") \
    X(ENOMEM, "error", "not enough memory")                                \
    X(EFTYPE, "io", "is a device, not a file")                             \
    X(EINVAL, "usage", "invalid argument")                                 \
    NEAP_SYSTEM_ERRORS(X)

/* What the operating system answers, by its own names: io/uverr maps its numbers
 * to these codes, and any other to EIO. */
#define NEAP_SYSTEM_ERRORS(X)                                              \
    X(ENOENT, "io", "no such file or directory")                           \
    X(EACCES, "io", "permission denied")                                   \
    X(EPERM, "io", "operation not permitted")                              \
    X(EEXIST, "io", "exists already")                                      \
    X(EISDIR, "io", "is a directory")                                      \
    X(ENOTDIR, "io", "not a directory")                                    \
    X(ENOTEMPTY, "io", "directory is not empty")                           \
    X(ENOSPC, "io", "no space left on the disk")                           \
    X(EDQUOT, "io", "disk quota exceeded")                                 \
    X(EFBIG, "io", "file is too large")                                    \
    X(EROFS, "io", "file system is read-only")                             \
    X(EXDEV, "io", "the paths are on different file systems")              \
    X(ELOOP, "io", "too many symbolic links")                              \
    X(ENAMETOOLONG, "io", "name is too long")                              \
    X(EMFILE, "io", "too many open files in this process; close some, or " \
                    "raise the limit (ulimit -n)")                         \
    X(ENFILE, "io", "too many open files in the system")                   \
    X(EBUSY, "io", "busy")                                                 \
    X(ETXTBSY, "io", "the program is running")                             \
    X(EIO, "io", "input/output error")                                     \
    X(ENXIO, "io", "no such device")                                       \
    X(ESPIPE, "io", "is a pipe or a socket, not a file")                   \
    X(EAGAIN, "io", "nothing there now")                                   \
    X(EBADF, "io", "not open")                                             \
    X(EPIPE, "io", "the reader has gone away")                             \
    X(E2BIG, "io", "the arguments are too long")                           \
    X(ENOEXEC, "io", "not a program")                                      \
    X(ESRCH, "io", "no such process")                                      \
    X(ECONNREFUSED, "io", "connection refused")                            \
    X(ECONNRESET, "io", "connection reset by the peer")                    \
    X(ECONNABORTED, "io", "connection aborted")                            \
    X(EADDRINUSE, "io", "address is in use")                               \
    X(EADDRNOTAVAIL, "io", "address is not available")                     \
    X(ENETUNREACH, "io", "network is unreachable")                         \
    X(EHOSTUNREACH, "io", "host is unreachable")                           \
    X(ENOTCONN, "io", "not connected")

typedef enum neap_err {
    NEAP_OK = 0,
    NEAP_ERR_BEFORE_FIRST = -128,
#define NEAP_ERR_CODE(code, kind, text) NEAP_##code,
    NEAP_ERRORS(NEAP_ERR_CODE)
#undef NEAP_ERR_CODE
    NEAP_ERR_AFTER_LAST
} neap_err;

/* "closed", for an error object's `kind`. */
const char *neap_err_kind(int code);
/* "ECLOSED", for an error object's `code`. */
const char *neap_err_name(int code);
/* "closed", for a message. */
const char *neap_err_text(int code);

#endif
