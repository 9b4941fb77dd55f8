/* base/duration.h - "1m30s" to nanoseconds and back.
 *
 *   text      = 1*(number unit)         "250ms"  "1m30s"  "3d"
 *   unit      = "ns" "us" "ms" "s" "m" "h" "d"
 *
 * Units fall from left to right, each at most once; numbers are whole and have
 * no sign; nothing stands between or around them. A day has 24 hours.
 * NEAP_DURATION_NONE (math.huge in Lua) stands for "no limit" and has no text
 * that can be read back.
 *
 * Errors  A function that can fail returns NULL, or a phrase for a message that
 *         says what is wrong with its input; `*ns` is then untouched.
 * Thread  Any.
 */
#ifndef NEAP_BASE_DURATION_H
#define NEAP_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

#define NEAP_DURATION_NONE UINT64_MAX

/* Room for the longest text, 213503d23h34m33s709ms551us614ns, and its zero. */
#define NEAP_DURATION_SIZE 40

/* Read a text; what comes to NEAP_DURATION_NONE or more is an error. */
const char *neap_duration_parse(const char *text, size_t len, uint64_t *ns);

/* Convert seconds. Below zero counts as zero, infinity is NEAP_DURATION_NONE,
 * minus infinity, NaN and what does not fit are errors. The result is the nearest nanosecond
 * unless that, as seconds again, lies below `seconds`; then it is the next one.
 * So 0.07 is exactly 70 ms, and a timer never fires before the number it was
 * given. */
const char *neap_duration_from_seconds(double seconds, uint64_t *ns);

/* Write the text of `ns` and return its length: as much as possible in larger
 * units, zero parts left out, "0s" for nothing and "none" for
 * NEAP_DURATION_NONE. */
size_t neap_duration_format(uint64_t ns, char text[NEAP_DURATION_SIZE]);

#endif
