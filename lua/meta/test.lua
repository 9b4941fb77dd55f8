---@meta neap.core.test

local test = {}

--- From now on time is virtual.
function test.begin() end

--- All chance begins anew, and the date is the beginning of 2000.
---@param seed integer
---@param shuffle? boolean  Whether the order of the ready tasks is chance, too.
function test.seed(seed, shuffle) end

---@return number seconds  Since the beginning.
---@nodiscard
function test.elapsed() end

--- Whether the clocks are the machine's.
---@param on boolean
---@return boolean before
function test.real(on) end

---@return boolean
---@nodiscard
function test.is_real() end

---@async
function test.run_until_idle() end

--- A longer slice is ended by an error of kind `limit`.
---@param d neap.Duration
function test.slice_limit(d) end

--- What follows is no part of the slice that the limit is for.
function test.renew() end

return test
