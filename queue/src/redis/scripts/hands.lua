-- Hand-outs: the hash `hands` has, by token, `n` or `s` (under suspicion), the jobs and the group; `leases` has when each
-- lapses. `running` are all jobs in hand.

-- Takes note that somebody speaks for the lane. When nobody did for half a lease while something was in hand, it was the
-- server that could not be reached, and no lease is held against anybody before a whole one has passed from now on.
local function hear(lease)
    if alive and raw - alive > lease / 2 and call('EXISTS', K .. ':leases') == 1 then
        grace = now + lease
        call('HSET', K, 'grace', text(grace))
    end
    alive = raw
end

-- Ends hand-outs; returns those that were still held, by token.
local function finish(tokens)
    local held, found, ids = {}, {}, {}
    for position, record in ipairs(call('HMGET', K .. ':hands', unpack(tokens))) do
        local token = tokens[position]
        if record and not held[token] then
            local kind, list, group = record:match('^(%a):([%d,]*):(.*)$')
            local hand = {token = token, suspect = kind == 's', list = list, group = group, ids = {}}
            for id in list:gmatch('%d+') do
                hand.ids[#hand.ids + 1] = id
                ids[#ids + 1] = id
            end
            held[token] = hand
            found[#found + 1] = token
            if token == alone then
                alone = nil
                call('HDEL', K, 'alone')
            end
        end
    end
    many('HDEL', K .. ':hands', found)
    many('ZREM', K .. ':leases', found)
    many('SREM', K .. ':running', ids)
    return held, found, ids
end

-- Gives jobs of a plain lane back, each where its mark says.
local function give_back(ids, marks)
    local ready, cohorts = {}, {}
    for _, id in ipairs(ids) do
        local standing = marks[id] and marks[id].s
        if not standing then
            ready[#ready + 1] = id
            ready[#ready + 1] = id
        elseif standing == '0' then
            call('ZADD', K .. ':suspects', id, id)
        else
            cohorts[standing] = cohorts[standing] or {}
            table.insert(cohorts[standing], id)
        end
    end
    many('ZADD', K .. ':ready', ready)
    for _, cohort in pairs(cohorts) do
        call('ZADD', K .. ':suspects', cohort[1], table.concat(cohort, ','))
    end
end
