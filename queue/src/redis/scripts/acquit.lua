-- Strikes jobs out of the account. At most 500.
--
-- ARGV: for each the job's id and its key; a key that another job has since stays.

local known = {}
for at = 1, #ARGV, 2 do
    local id = call('ZSCORE', K .. ':owed', ARGV[at + 1])
    if id and tonumber(id) == tonumber(ARGV[at]) then
        known[#known + 1] = ARGV[at + 1]
    end
end
many('ZREM', K .. ':owed', known)
return #known
