-- Lists dead letters, oldest first. At most 501.
--
-- ARGV: after which id · how many. Answers for each its id, record and epitaph.

local ids = call('ZRANGEBYSCORE', K .. ':dead', '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
local answer = {}
if #ids > 0 then
    local records = call('HMGET', K .. ':letters', unpack(ids))
    local epitaphs = call('HMGET', K .. ':epitaphs', unpack(ids))
    for position, id in ipairs(ids) do
        answer[position] = {id, records[position], epitaphs[position]}
    end
end
return answer
