--- Hand values from task to task.
--- A channel without a buffer makes sender and receiver meet; one with a buffer
--- lets senders run ahead by its capacity. Both are first in, first out.

local chan = require("neap.core.chan")
local errors = require("neap.core.error")
local options = require("neap.options")

---@class neap.Channel: neap.core.Channel

---@class neap.channel.Options
---@field capacity? integer|number  Values that may wait; 0 by default, `math.huge` for no bound.
---@field on_full? "wait"|"drop_oldest"|"drop_newest"  What a send does when it is full; "wait".
---@field on_undelivered? fun(...: any)  Called with each value that was dropped, left at
---`abort`, or left when the last receiving end has gone. It must not wait.

local OPTIONS = { "capacity", "on_full", "on_undelivered" }

local channel = {}

--- Create a channel.
---@param opts? integer|number|neap.channel.Options  A number is the capacity.
---@return neap.Channel
---@nodiscard
function channel.new(opts, ...)
  if ... ~= nil then
    errors.usage("neap.channel: one argument expected; with options the capacity is one of them")
  end
  if type(opts) ~= "table" then return chan.new(opts) end

  options.check("neap.channel", opts, OPTIONS)
  return chan.new(opts.capacity, opts.on_full, opts.on_undelivered)
end

return channel
