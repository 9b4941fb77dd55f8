#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character at `s`, of which `len` bytes are there; 0 if it is not
 * well-formed. What the second byte may be depends on the first:
 *
 *   first      second     bytes   keeps out
 *   00..7f                1
 *   c2..df     80..bf     2       overlong (c0, c1)
 *   e0         a0..bf     3       overlong
 *   e1..ef     80..bf     3
 *   ed         80..9f     3       surrogates
 *   f0         90..bf     4       overlong
 *   f1..f3     80..bf     4
 *   f4         80..8f     4       above U+10FFFF
 */
static size_t char_size(const unsigned char *s, size_t len)
{
    unsigned char first = s[0], low = 0x80, high = 0xbf;
    size_t size;

    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    if (first < 0xe0) {
        size = 2;
    } else if (first < 0xf0) {
        size = 3;
        if (first == 0xe0)
            low = 0xa0;
        else if (first == 0xed)
            high = 0x9f;
    } else {
        size = 4;
        if (first == 0xf0)
            low = 0x90;
        else if (first == 0xf4)
            high = 0x8f;
    }
    if (len < size || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    }
    return size;
}

size_t neap_utf8_valid(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0;

    while (at < len) {
        uint64_t eight;
        /* Most text is ASCII: eight bytes at once while no high bit is set. */
        while (len - at >= sizeof eight) {
            memcpy(&eight, s + at, sizeof eight);
            if (eight & UINT64_C(0x8080808080808080))
                break;
            at += sizeof eight;
        }
        if (at == len)
            break;
        size_t size = char_size(s + at, len - at);
        if (size == 0)
            break;
        at += size;
    }
    return at;
}
