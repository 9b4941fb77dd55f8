/* bind/embed.h - the files under lua/, as bytes of the binary.
 *
 * The table is made by scripts/embed from the tree, sorted by name.
 */
#ifndef NEAP_BIND_EMBED_H
#define NEAP_BIND_EMBED_H

#include <stddef.h>

typedef struct neap_embed {
    const char *name;       /* "neap/scope.lua", "help/scopes.md" */
    const char *bytes;
    size_t      size;
} neap_embed;

extern const neap_embed neap_embed_files[];
extern const size_t     neap_embed_count;

/* The file called `name`, or NULL. */
const neap_embed *neap_embed_find(const char *name);
/* The source of module `name` ("neap.flow": neap/flow.lua or neap/flow/init.lua),
 * or NULL. */
const neap_embed *neap_embed_module(const char *name);

#endif
