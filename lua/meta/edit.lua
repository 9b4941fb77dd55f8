---@meta neap.core.edit

--- An editor of lines on the terminal of the host.
---@package
---@class neap.core.Edit
local Edit = {}

--- Let the user edit a line. Other tasks run meanwhile.
---@async
---@param prompt string
---@return string? line  Without its end; nil at the end of input.
function Edit:line(prompt) end

--- Add a line to what the arrow keys bring back.
---@param line string
function Edit:remember(line) end

local edit = {}

edit.methods = Edit

--- Open the editor: nil where standard input or output is no terminal, or libedit is absent.
---@param stdin neap.core.Stream
---@param complete fun(text: string): string?, string?  Called when the user presses Tab, with
---  the line up to the cursor: what to insert, and what to show below it. It cannot wait.
---@return neap.core.Edit? editor  Closable.
function edit.open(stdin, complete) end

return edit
