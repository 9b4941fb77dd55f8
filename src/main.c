#include "cli/run.h"

int main(int argc, char **argv)
{
    return neap_cli_run(argc, argv);
}
