-- The oldest job the lane holds, in whatever state: the least id of each structure, and of what is in hand.
--
-- Answers its age in ms, or -1. Reads as many ids as are in hand, and no more.

local first = nil
local function consider(id)
    id = id and tonumber(id)
    if id and (not first or id < first) then
        first = id
    end
end

consider(call('LINDEX', K .. ':fresh', 0))
for _, key in ipairs({':ready', ':heads', ':later_ids'}) do
    consider(call('ZRANGE', K .. key, 0, 0, 'WITHSCORES')[2])
end
-- In a grouped lane these are groups by turn, and `heads` has them.
if ARGV[1] ~= '1' then
    consider(call('ZRANGE', K .. ':suspects', 0, 0, 'WITHSCORES')[2])
end
for _, id in ipairs(call('SMEMBERS', K .. ':running')) do
    consider(id)
end
return first and math.max(now - math.floor(first / 1000), 0) or -1
