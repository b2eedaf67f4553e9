-- Hands out jobs: first what became due or was left by others, then a cohort or suspect, then the rest. At most 500 jobs
-- and 64 groups are handed out, 500 jobs taken over, 500 later jobs and 500 blocked groups let in, 100 keys purged.
--
-- ARGV: 1 if grouped · the lease in ms · most jobs in a hand-out · most hand-outs · who asks · the number of this claim,
-- rising with each · the number of the last that was answered; what was handed out to a later one goes back.
-- Answers after how many ms to ask again, or -1, and for each hand-out its token, how many jobs, and for each of them its
-- id, record and mark.

local grouped, lease, batch = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])
local hands, claim, answered = tonumber(ARGV[4]), tonumber(ARGV[6]), tonumber(ARGV[7])
local asker = K .. ':asker:' .. ARGV[5]
local forget_after = lease * 10 + 60000

local function remember(tokens)
    call('SET', asker, ARGV[6] .. ' ' .. table.concat(tokens, ','), 'PX', forget_after)
end

-- What an earlier claim handed out and never brought to its asker goes back as it was.
local before = call('GET', asker)
if before then
    local done, list = before:match('^(%d+) (.*)$')
    if tonumber(done) >= claim then
        return {0}
    end
    local tokens = {}
    for token in list:gmatch('%d+') do
        tokens[#tokens + 1] = token
    end
    if tonumber(done) > answered then
        local held = held_by(tokens)
        local marks = read_marks(finish(held))
        for _, hand in ipairs(held) do
            if grouped then
                place(hand.group)
            else
                give_back(hand.ids, marks)
            end
        end
        save()
    end
end
if answered < claim - 1 then
    remember({})
end

hear(lease)

-- Takes over what other workers' lapsed leases left; see marks and hands.
local function blame(mark, hand)
    if #hand.ids > 1 then
        mark.s = hand.suspect and '0' or hand.token
        return
    end
    mark.s = '0'
    if hand.suspect then
        mark.c = (mark.c or 0) + 1
        if not mark.d then
            mark.a = (mark.a or 0) + 1
            if mark.c >= 3 then
                mark.c, mark.d, mark.t = nil, 'its worker died three times while it ran alone', now
            end
        end
    end
end

local again = -1
local function at_latest(wait)
    if again < 0 or wait < again then
        again = math.max(wait, 0)
    end
end

local function due(key, most)
    local list = call('ZRANGEBYSCORE', K .. key, '-inf', text(now), 'LIMIT', 0, most)
    if #list == most then
        at_latest(0)
    end
    many('ZREM', K .. key, list)
    return list
end

-- Hand-outs whose leases have lapsed, of at most about 500 jobs; what is left of an entry goes back.
local function lapsed()
    local list, most, seen, met = {}, math.max(1, math.floor(500 / batch)), 0, {}
    local entries = call('ZRANGEBYSCORE', K .. ':leases', '-inf', text(now), 'LIMIT', 0, 20)
    for _, entry in ipairs(entries) do
        if #list >= most or seen >= 500 then
            at_latest(0)
            break
        end
        call('ZREM', K .. ':leases', entry)
        local tokens, rest = {}, {}
        -- What was renewed stands in two entries, and both may be over.
        for token in entry:gmatch('%d+') do
            if not met[token] then
                tokens[#tokens + 1] = token
                met[token] = true
            end
        end
        seen = seen + #tokens
        for _, hand in ipairs(held_by(tokens)) do
            if hand.lapse <= now then
                table.insert(#list < most and list or rest, hand)
            end
        end
        if #rest > 0 then
            for position, hand in ipairs(rest) do
                rest[position] = hand.token
            end
            call('ZADD', K .. ':leases', text(now), table.concat(rest, ','))
            at_latest(0)
        end
    end
    if #entries == 20 then
        at_latest(0)
    end
    return list
end

if now >= grace then
    local held = lapsed()
    if #held > 0 then
        local marks = read_marks(finish(held))
        for _, hand in ipairs(held) do
            for _, id in ipairs(hand.ids) do
                marks[id] = marks[id] or {}
                blame(marks[id], hand)
                write_mark(id, marks[id])
            end
            if grouped then
                place(hand.group)
            else
                give_back(hand.ids, marks)
            end
        end
        save()
    end
end

if own[6] then
    return {-1}
end

-- Lets in what has become due.
local ready, due_ids = {}, {}
for _, entry in ipairs(due(':later', 500)) do
    local id, group = entry:match('^(%d+):(.*)$')
    due_ids[#due_ids + 1] = id
    if grouped then
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

-- Forgets keys whose lifetime is over.
local old = call('ZRANGEBYSCORE', K .. ':expiring', '-inf', text(now), 'LIMIT', 0, 100)
if #old > 0 then
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

-- What is handed out: tokens, how many jobs each has, the records of the hand-outs, and all their jobs in order.
local tokens, sizes, records, ids = {}, {}, {}, {}
local room, heads, headless = 500, {}, {}
local lapse = text(now + lease)
local plain_end = ':' .. lapse .. ':'

-- Hands out a part of a list.
local function take(list, from, count, group, suspect)
    local token, at = number(), #tokens + 1
    tokens[at], sizes[at] = token, count
    local jobs = count == 1 and list[from] or table.concat(list, ',', from, from + count - 1)
    records[2 * at - 1] = token
    records[2 * at] = (suspect and 's:' or 'n:') .. jobs .. plain_end .. (group or '')
    for position = from, from + count - 1 do
        ids[#ids + 1] = list[position]
    end
    room = room - count
    if suspect then
        alone = token
        call('HSET', K, 'alone', alone)
    end
end

local function take_of_group(list, count, group, suspect)
    take(list, 1, count, group, suspect)
    if list[count + 1] then
        heads[#heads + 1] = list[count + 1]
        heads[#heads + 1] = group
    else
        headless[#headless + 1] = group
    end
end

-- The next cohort or suspect, while no other of the lane is in hand.
local function summon()
    local next_up = call('ZRANGE', K .. ':suspects', 0, grouped and 15 or 0)
    for _, member in ipairs(next_up) do
        call('ZREM', K .. ':suspects', member)
        if not grouped then
            local list, rest = {}, {}
            for id in member:gmatch('%d+') do
                table.insert(#list < batch and list or rest, id)
            end
            if #rest > 0 then
                call('ZADD', K .. ':suspects', rest[1], table.concat(rest, ','))
            end
            return take(list, 1, #list, nil, true)
        end
        local list = call('ZRANGE', jobs_of(member), 0, batch)
        local marks = read_marks(list)
        local standing = list[1] and marks[list[1]] and marks[list[1]].s
        if standing then
            local count = 1
            while standing ~= '0' and count < batch and marks[list[count + 1]]
                and marks[list[count + 1]].s == standing do
                count = count + 1
            end
            return take_of_group(list, count, member, true)
        end
        place(member)
    end
end

-- As many of a list as may come together: none after the first that is doomed or a suspect.
local function together(list, most, marks)
    for position = 1, math.min(#list, most) do
        local mark = marks[list[position]]
        if mark and mark.s then
            return position - 1
        elseif mark and mark.d then
            return math.max(position - 1, 1)
        end
    end
    return math.min(#list, most)
end

local function pick_grouped()
    local most = math.min(hands - #tokens, 64)
    local groups = most > 0 and call('ZRANGE', K .. ':rota', 0, most - 1) or {}
    local gone, strays = {}, {}
    if #groups == 64 and hands > 64 then
        at_latest(0)
    end
    for _, group in ipairs(groups) do
        if room == 0 then
            break
        end
        local list = call('ZRANGE', jobs_of(group), 0, batch)
        local count = together(list, math.min(batch, room), read_marks(list))
        gone[#gone + 1] = group
        if count > 0 then
            take_of_group(list, count, group, false)
        else
            strays[#strays + 1] = group
        end
    end
    many('ZREM', K .. ':rota', gone)
    -- A group whose head is a suspect has no place in the rota; one that is empty has none at all.
    for _, group in ipairs(strays) do
        place(group)
    end
end

local function pick_plain()
    local wanted = (hands - #tokens) * batch
    local most = math.min(wanted, room)
    local popped = most > 0 and call('ZPOPMIN', K .. ':ready', most) or {}
    local list, rest = {}, {}
    for position = 1, #popped, 2 do
        list[#list + 1] = popped[position]
    end
    if #list == most and most < wanted then
        at_latest(0)
    end
    local marks = read_marks(list)
    local from = 1
    while from <= #list and #tokens < hands do
        local count = math.min(batch, #list - from + 1)
        for position = from, has_marks and from + count - 1 or 0 do
            local mark = marks[list[position]]
            if mark and mark.d then
                -- A doomed job comes alone.
                count = math.max(position - from, 1)
                break
            end
        end
        take(list, from, count)
        from = from + count
    end
    for position = from, #list do
        rest[#rest + 1] = list[position]
        rest[#rest + 1] = list[position]
    end
    many('ZADD', K .. ':ready', rest)
end

if not alone and hands > 0 then
    summon()
end
if grouped then
    pick_grouped()
else
    pick_plain()
end
if room == 0 and #tokens < hands then
    at_latest(0)
end

local answer = {0}
if #tokens > 0 then
    many('HSET', K .. ':hands', records)
    call('ZADD', K .. ':leases', lapse, table.concat(tokens, ','))
    many('SADD', K .. ':running', ids)
    many('ZADD', K .. ':heads', heads)
    many('ZREM', K .. ':heads', headless)
    remember(tokens)
    local jobs = call('HMGET', K .. ':jobs', unpack(ids))
    local marks = has_marks and call('HMGET', K .. ':marks', unpack(ids)) or {}
    local at, out = 0, 1
    for position, token in ipairs(tokens) do
        answer[out + 1], answer[out + 2] = token, sizes[position]
        out = out + 2
        for _ = 1, sizes[position] do
            at = at + 1
            answer[out + 1], answer[out + 2], answer[out + 3] = ids[at], jobs[at] or '', marks[at] or ''
            out = out + 3
        end
    end
end

-- When something falls due or lapses; and while anything is in hand, soon enough to be heard.
for _, key in ipairs({':later', ':blocked'}) do
    local first = call('ZRANGE', K .. key, 0, 0, 'WITHSCORES')[2]
    if first then
        at_latest(first - now)
    end
end
local in_hand = call('EXISTS', K .. ':hands') == 1
if in_hand then
    local lapses = call('ZRANGE', K .. ':leases', 0, 0, 'WITHSCORES')[2] or now
    at_latest(math.min(math.max(lapses - now, grace - now), math.floor(lease / 3)))
else
    call('UNLINK', K .. ':leases')
end
if in_hand or last > began then
    save()
end
answer[1] = again
return answer
