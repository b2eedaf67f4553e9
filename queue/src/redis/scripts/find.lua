-- Looks for a job by its unique key: first among the keys held, then among the dead letters.
--
-- ARGV: the key. Answers nothing, or id, tag or false, and where it is.

local key = ARGV[1]
local value = call('HGET', K .. ':uniques', key)
if value then
    local untl, id, tag = value:match('^(%d+) (%d+) (.*)$')
    if untl == '0' or tonumber(untl) > now then
        local where = 'settled'
        if call('SISMEMBER', K .. ':running', id) == 1 then
            where = 'running'
        elseif call('HEXISTS', K .. ':jobs', id) == 1 then
            where = 'waiting'
        elseif call('HEXISTS', K .. ':letters', id) == 1 then
            where = 'dead'
        end
        return {id, tag ~= '' and tag:sub(2), where}
    end
end
local id = call('HGET', K .. ':dead_keys', key)
if id then
    return {id, header(call('HGET', K .. ':letters', id)).tag or false, 'dead'}
end
return {}
