/* cli/run.h - the command line. */
#ifndef NEAP_CLI_RUN_H
#define NEAP_CLI_RUN_H

/* Run `neap ARGS...`; returns the exit status. */
int neap_cli_run(int argc, char **argv);

#endif
