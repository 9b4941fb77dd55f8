/* base/utf8.h - which bytes are UTF-8.
 *
 * Valid is what Unicode calls well-formed: the shortest form of a code point up
 * to U+10FFFF that is no surrogate. A zero byte is a character like others.
 *
 * Errors  None.
 * Thread  Any.
 */
#ifndef NEAP_BASE_UTF8_H
#define NEAP_BASE_UTF8_H

#include <stddef.h>

/* Length of the longest valid beginning of `text`: `len` if all of it is valid,
 * else the offset of the first character that is not. */
size_t neap_utf8_valid(const char *text, size_t len);

#endif
