# neap - `make help` lists what can be made. Everything made goes under build/,
# one folder per variant, so that variants never mix.

VARIANT ?= release
VERSION := 0.1.0
PREFIX  ?= /usr/local
B       := build/$(VARIANT)
comma   := ,
Q       := $(if $(V),,@)# V=1 shows whole commands

CPPFLAGS += -D_GNU_SOURCE -DNEAP_VERSION='"$(VERSION)"' -Isrc -isystem /usr/include/lua5.4
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla \
           -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
# Where gcc's assembler knows it: no jump crosses a line of 32 bytes, since some processors decode
# such a one anew each time (Intel, Jump Conditional Code Erratum). Worth 4 % of W4 on those.
JUMPS   := -Wa,-mbranches-within-32B-boundaries
JUMPS   := $(shell printf '' | $(CC) $(JUMPS) -x assembler -c -o /dev/null - 2>/dev/null && echo $(JUMPS))
FLAGS_release := -O2 -g $(JUMPS)
FLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
FLAGS_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
EXTRA_tsan    := scripts/tsan.c
FLAGS_fuzz    := $(FLAGS_asan) -fno-sanitize-recover=undefined -fsanitize=fuzzer
CFLAGS  += -std=c11 $(WARN) $(FLAGS_$(VARIANT)) -MMD -MP
# Static, so that the binary is one file to copy; -E so that C modules of the
# system find the Lua inside.
LDFLAGS += -Wl,-E
LDLIBS  += -l:liblua5.4.a -l:liblua5.4-cjson.a -l:libuv_a.a -l:libjansson.a -lm -ldl -lpthread

SRC     := $(wildcard src/*.c src/*/*.c)
OBJ     := $(SRC:%.c=$(B)/%.o) $(B)/embedded.o
LIB     := $(filter-out $(B)/src/main.o,$(OBJ))
EMBED   := $(sort $(shell find lua -type f))
CTESTS  := $(patsubst spec/core/%_test.c,$(B)/spec/%,$(wildcard spec/core/*_test.c))
FUZZ    := $(patsubst scripts/fuzz/%_fuzz.c,$(B)/fuzz/%,$(wildcard scripts/fuzz/*_fuzz.c))

.PHONY: all test check demo seeds fuzz oom bench asan tsan lint layers format compdb deps install help clean
.DELETE_ON_ERROR:

all: $(B)/neap ## build the host binary, build/release/neap

test: ## install what the tests need, build, run lint and all specs
	@scripts/deps install build test
	@$(MAKE) --no-print-directory check

check: layers lint all $(B)/neap-oom $(CTESTS) $(FUZZ)
	@scripts/test $(B)

demo: ## install what is missing, build, run orders through a saga
	@scripts/deps install build
	@$(MAKE) --no-print-directory all
	$(B)/neap run examples/08_order_saga.lua --input examples/orders.jsonl

N ?= 200
seeds: all ## run the specs of the primitives under N seeded schedules (200)
	scripts/seeds $(B) $(N)

SECONDS ?= 60
CLANG   ?= clang
fuzz: ## fuzz neap.json and durations, SECONDS each (60)
	@scripts/deps install build fuzz
	@$(MAKE) --no-print-directory VARIANT=fuzz CC="$(CLANG)" fuzz-targets
	scripts/fuzz/run $(SECONDS)

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ)

bench: all ## run all benchmarks; PEERS=1 with copas and cqueues beside
	scripts/bench/all

asan: ## build and check with address and undefined-behaviour sanitizers
	@scripts/deps install build test
	@$(MAKE) --no-print-directory VARIANT=asan check

tsan: ## build with the thread sanitizer and check what uses threads
	@$(MAKE) --no-print-directory VARIANT=tsan all $(addprefix build/tsan/spec/,file job loop pool stream)
	@scripts/test build/tsan threads

POINTS ?= 12
oom: all $(B)/neap-oom ## refuse each of POINTS requests for memory (12, kinds or all) of every spec and example
	@scripts/oom $(B) $(POINTS)

lint: ## check Lua sources, annotations, and that every statement has its spec
	@luacheck --quiet lua spec/neap spec/oom examples scripts/bench
	@scripts/lint

layers: ## check that no room includes what stands above it
	@scripts/layers $(wildcard src/*.[ch] src/*/*.[ch])

format: ## lay out C sources
	clang-format -i $(wildcard src/*.[ch] src/*/*.[ch] spec/core/*.[ch])

compdb: ## write compile_commands.json for editors
	scripts/compdb "$(CC) $(CPPFLAGS) $(CFLAGS)" $(SRC) > compile_commands.json

deps: ## install all packages that any target needs, and say why
	scripts/deps install build test fuzz bench

install: all ## copy the binary to PREFIX/bin (/usr/local)
	install -D -m 755 -s $(B)/neap $(DESTDIR)$(PREFIX)/bin/neap

clean: ## remove build/
	rm -rf build

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t16

$(B)/.deps:
	@scripts/deps check build
	@mkdir -p $(@D) && touch $@

$(B)/neap: $(OBJ) $(EXTRA_$(VARIANT)) $(B)/place.o
	@echo "  link  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# An empty object behind ours, so that Lua's code begins with a cache line whatever is linked
# before it. How the interpreter's jumps lie in their lines is worth 7 % on some processors.
$(B)/place.o: Makefile
	@mkdir -p $(@D)
	$(Q)printf '.balign 64\n.section .note.GNU-stack,"",%%progbits\n' | \
	    $(CC) -x assembler -c -o $@ -

$(B)/%.o: %.c | $(B)/.deps
	@mkdir -p $(@D)
	@echo "  cc    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/embedded.c: $(EMBED) scripts/embed
	@mkdir -p $(@D)
	@echo "  embed lua/"
	$(Q)scripts/embed $(EMBED) > $@

$(B)/embedded.o: $(B)/embedded.c $(EMBED)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/spec/%: spec/core/%_test.c $(LIB) $(EXTRA_$(VARIANT))
	@mkdir -p $(@D)
	@echo "  link  $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# It counts the calls of these functions.
$(B)/spec/cost: LDFLAGS += $(addprefix -Wl$(comma)--wrap=,neap_host_run clock_gettime lua_rawgetp \
                             lua_rawgeti lua_getfield luaL_checkudata lua_resume)

# A target and what it reads, without the host: libFuzzer looks at nothing else. What is not
# built by libFuzzer's compiler has another `main`.
$(B)/fuzz/duration: $(B)/src/base/duration.o
$(B)/fuzz/json: $(addprefix $(B)/src/,bind/value.o bind/value_read.o bind/value_write.o base/utf8.o)
$(FUZZ): $(B)/fuzz/%: scripts/fuzz/%_fuzz.c $(if $(filter fuzz,$(VARIANT)),,scripts/fuzz/replay.c)
	@mkdir -p $(@D)
	@echo "  link  $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LDLIBS)

# It notes when these functions are called.
$(B)/neap-oom: LDFLAGS += $(addprefix -Wl$(comma)--wrap=,neap_bind_memory neap_bind_fail_about neap_bind_select_renew \
                            neap_loop_pending neap_slab_alloc neap_slice_open neap_thread_start \
                            neap_virtual_run fopen fclose remove)
$(B)/neap-oom: spec/oom/fail.c $(LIB)
	@echo "  link  $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# A file that is no longer in lua/ is no longer in the binary.
$(shell mkdir -p $(B) && printf '%s\n' $(EMBED) | cmp -s - $(B)/.embed || printf '%s\n' $(EMBED) > $(B)/.embed)
$(B)/embedded.c: $(B)/.embed

-include $(OBJ:.o=.d) $(CTESTS:=.d) $(FUZZ:=.d)
