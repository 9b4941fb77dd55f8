# neap - `make help` lists what can be made. Everything made goes under build/.

VARIANT ?= release
B       := build/$(VARIANT)
VERSION := 0.1.0

LUA     ?= lua5.4
PKGS    := lua5.4 libuv jansson
CPPFLAGS += -D_GNU_SOURCE -DNEAP_VERSION='"$(VERSION)"' -Isrc \
            $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS)))
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla \
           -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
FLAGS_release := -O2 -g
FLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
FLAGS_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CFLAGS  += -std=c11 $(WARN) $(FLAGS_$(VARIANT)) -MMD -MP
# Static where a file to copy is wished for; -E so that C modules of the system
# find the Lua inside.
LIBDIR  := $(shell pkg-config --variable=libdir lua5.4)
LDFLAGS += -Wl,-E
LDLIBS  += $(LIBDIR)/liblua5.4.a $(LIBDIR)/libuv_a.a $(LIBDIR)/libjansson.a -lm -ldl -lpthread

SRC     := $(wildcard src/*.c src/*/*.c)
OBJ     := $(SRC:%.c=$(B)/%.o) $(B)/embedded.o
LIB     := $(filter-out $(B)/src/main.o,$(OBJ))
EMBED   := $(shell find lua -type f)
TESTS   := $(patsubst spec/core/%_test.c,$(B)/spec/%,$(wildcard spec/core/*_test.c))

.PHONY: all help deps test
all: $(B)/neap ## build the host binary

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t16

$(B)/neap: $(OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/embedded.c: $(EMBED) scripts/embed Makefile
	@mkdir -p $(@D)
	scripts/embed $(EMBED) > $@

$(B)/embedded.o: $(B)/embedded.c $(EMBED)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-pedantic -c -o $@ $<

$(B)/spec/%: spec/core/%_test.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

-include $(OBJ:.o=.d)
