-- Reads the account: which jobs have left the lane and its dead letters. At most 500 entries.
--
-- `owed` has the unique keys of accountable jobs, each with the id of its job.
-- ARGV: after which id · how many. Answers how many of them are held, the last id read if there may be more or nothing,
-- and for each job that has left its id and key.

local entries = call('ZRANGEBYSCORE', K .. ':owed', '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local held, last, gone = 0, '', {}
for at = 1, #entries, 2 do
    last = text(tonumber(entries[at + 1]))
    if call('HEXISTS', K .. ':jobs', last) == 1 or call('HEXISTS', K .. ':letters', last) == 1 then
        held = held + 1
    else
        gone[#gone + 1] = last
        gone[#gone + 1] = entries[at]
    end
end
if #entries < 2 * tonumber(ARGV[2]) then
    last = ''
end
return {held, last, unpack(gone)}
