-- Hand-outs: the hash `hands` has, by token, `n` or `s` (under suspicion), the jobs, when the lease lapses, the group.
--
-- `leases` has the tokens of each claim and each renewal under the time they lapse at. An entry whose hand-outs were
-- settled or renewed since is dropped when its time comes: so a lease costs one entry for many hand-outs, and none is
-- looked for when they are settled. `running` are all jobs in hand.

-- Takes note that somebody speaks for the lane. When nobody did for half a lease while something was in hand, it was the
-- server that could not be reached, and no lease is held against anybody before a whole one has passed from now on.
local function hear(lease)
    if alive and raw - alive > lease / 2 and call('EXISTS', K .. ':hands') == 1 then
        grace = now + lease
        call('HSET', K, 'grace', text(grace))
    end
    alive = raw
end

local function read_hand(token, record)
    local kind, list, lapse, group = record:match('^(%a):([%d,]*):(%d+):(.*)$')
    local hand = {token = token, lapse = tonumber(lapse), suspect = kind == 's', list = list, group = group, ids = {}}
    for id in list:gmatch('%d+') do
        hand.ids[#hand.ids + 1] = id
    end
    return hand
end

-- The hand-outs of these tokens that are still held, in order.
local function held_by(tokens)
    local held = {}
    for position, record in ipairs(#tokens > 0 and call('HMGET', K .. ':hands', unpack(tokens)) or {}) do
        if record then
            held[#held + 1] = read_hand(tokens[position], record)
        end
    end
    return held
end

-- Ends hand-outs; returns their jobs.
local function finish(held)
    local tokens, ids = {}, {}
    for position, hand in ipairs(held) do
        tokens[position] = hand.token
        for _, id in ipairs(hand.ids) do
            ids[#ids + 1] = id
        end
        if hand.token == alone then
            alone = nil
            call('HDEL', K, 'alone')
        end
    end
    many('HDEL', K .. ':hands', tokens)
    many('SREM', K .. ':running', ids)
    return ids
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
