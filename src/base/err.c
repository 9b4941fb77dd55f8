#include "base/err.h"

static const struct {
    const char *name, *kind, *text;
} ERRORS[] = {
#define NEAP_ERR_ROW(code, kind, text) { #code, kind, text },
    NEAP_ERRORS(NEAP_ERR_ROW)
#undef NEAP_ERR_ROW
};

_Static_assert(NEAP_ERR_AFTER_LAST <= 0, "a code is negative");

static int row(int code)
{
    int index = code - NEAP_ERR_BEFORE_FIRST - 1;
    int count = (int)(sizeof ERRORS / sizeof ERRORS[0]);
    return index >= 0 && index < count ? index : -1;
}

const char *neap_err_kind(int code)
{
    return row(code) < 0 ? "error" : ERRORS[row(code)].kind;
}

const char *neap_err_name(int code)
{
    return row(code) < 0 ? "EUNKNOWN" : ERRORS[row(code)].name;
}

const char *neap_err_text(int code)
{
    return row(code) < 0 ? "unknown error" : ERRORS[row(code)].text;
}
