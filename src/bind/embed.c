#include "bind/embed.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *key, const void *element)
{
    return strcmp(key, ((const neap_embed *)element)->name);
}

const neap_embed *neap_embed_find(const char *name)
{
    return bsearch(name, neap_embed_files, neap_embed_count, sizeof *neap_embed_files, by_name);
}

const neap_embed *neap_embed_module(const char *name)
{
    char path[256];
    const neap_embed *file;

    if (strlen(name) > sizeof path - sizeof "/init.lua")
        return NULL;
    strcpy(path, name);
    for (char *at = path; *at; at++)
        if (*at == '.')
            *at = '/';
    size_t length = strlen(path);
    strcpy(path + length, ".lua");
    if ((file = neap_embed_find(path)) != NULL)
        return file;
    strcpy(path + length, "/init.lua");
    return neap_embed_find(path);
}
