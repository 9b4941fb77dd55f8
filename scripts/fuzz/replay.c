/* A fuzz target over inputs at hand, built by any compiler: what a fuzzer found is
 * repeated under a debugger, and the targets are built and run by every `make check`.
 *   build/release/fuzz/json FILE...        each file is one input
 * An input that breaks the target ends the process; the last line is "N passed, 0 failed". */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { LONGEST = 1 << 20 };

static uint8_t input[LONGEST];

static void replay(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        exit(1);
    }
    fprintf(stderr, "%s\n", name);
    LLVMFuzzerTestOneInput(input, fread(input, 1, sizeof input, file));
    fclose(file);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%d passed, 0 failed\n", argc - 1);
    return 0;
}
