---@meta neap.core.test

--- Virtual time and seeded schedules: see `neap.test`.
local test = {}

--- Virtual time begins anew. No timer is armed.
function test.begin() end

--- All chance begins anew.
---@param n integer
---@param shuffle? boolean  The order of the ready queue is chance, too.
function test.seed(n, shuffle) end

---@return number seconds
function test.elapsed() end

--- All clocks are the machine's while it is on.
---@param on boolean
---@return boolean before
function test.real(on) end

---@return boolean
function test.is_real() end

--- All others run until nothing is ready, due or pending.
---@async
function test.run_until_idle() end

--- A longer slice is ended by an error of kind `limit`.
---@param d neap.Duration
function test.slice_limit(d) end

--- What follows is no part of the slice that the limit is for.
function test.renew() end

return test
