-- Counts a lane; every count is the size of what holds the jobs, so none can be wrong.
--
-- Answers waiting, later, in flight, dead, 1 if paused, groups paused, and the age of the oldest that waits in ms or -1.

local running, later = call('SCARD', K .. ':running'), call('ZCARD', K .. ':later')
local first = tonumber(call('LINDEX', K .. ':fresh', 0) or nil)
for _, key in ipairs({':ready', ':heads'}) do
    local score = call('ZRANGE', K .. key, 0, 0, 'WITHSCORES')[2]
    if score then
        first = math.min(first or math.huge, tonumber(score))
    end
end
if call('EXISTS', K .. ':heads') == 0 then
    local score = call('ZRANGE', K .. ':suspects', 0, 0, 'WITHSCORES')[2]
    if score then
        first = math.min(first or math.huge, tonumber(score))
    end
end
return {
    call('HLEN', K .. ':jobs') - running - later, later, running, call('ZCARD', K .. ':dead'),
    own[6] and 1 or 0, call('HLEN', K .. ':paused'),
    first and math.max(now - math.floor(first / 1000), 0) or -1,
}
