-- Lets in what has become due: 500 later jobs and 500 blocked groups; and forgets 100 keys whose lifetime is over.

local function due(key, most)
    local list = call('ZRANGEBYSCORE', K .. key, '-inf', text(now), 'LIMIT', 0, most)
    if #list == most then
        at_latest(0)
    end
    many('ZREM', K .. key, list)
    return list
end

local function let_in()
    local ready, due_ids = {}, {}
    for _, entry in ipairs(due(':later', 500)) do
        local id, group = entry:match('^(%d+):(.*)$')
        due_ids[#due_ids + 1] = id
        if ask.grouped then
            local jobs = jobs_of(group)
            local was_empty = call('EXISTS', jobs) == 0
            call('ZADD', jobs, id, id)
            if call('HINCRBY', K .. ':delayed', group, -1) == 0 then
                call('HDEL', K .. ':delayed', group)
            end
            if was_empty then
                place(group, nil, id)
            else
                precede(group, id)
            end
        else
            ready[#ready + 1] = id
            ready[#ready + 1] = id
        end
    end
    many('ZADD', K .. ':ready', ready)
    many('ZREM', K .. ':later_ids', due_ids)
    for _, group in ipairs(due(':blocked', 500)) do
        place(group)
    end
end

local function forget_keys()
    local old = call('ZRANGEBYSCORE', K .. ':expiring', '-inf', text(now), 'LIMIT', 0, 100)
    if #old == 0 then
        return
    end
    local over = {}
    for position, value in ipairs(call('HMGET', K .. ':uniques', unpack(old))) do
        local untl = value and tonumber(value:match('^%d+'))
        if untl and untl > 0 and untl <= now then
            over[#over + 1] = old[position]
        end
    end
    many('HDEL', K .. ':uniques', over)
    many('ZREM', K .. ':expiring', old)
end
