-- Queues pushes, each whole or not at all, in order. At most 1,000 jobs in all; no write before all is decided.
--
-- ARGV: 1 if grouped · most jobs in a group, or nothing · how many pushes · for each the number of its jobs, and for each
-- job its record, which of the letters g, d, k, a hold, and then: the group (g), the delay in ms (d), the unique key, its
-- hold in ms or 0, the tag with a + before it or nothing, and how much of the tag tells a repeat from another use (k).
-- With a it stands in the account under its key. What comes to an idle lane is given to one who stands by.
-- Answers for each push 1 and the group that is full, or 2 and the key that is held for another use, or 0 and for each
-- job its id, or the id and tag of who holds its key; and of one new job its id alone.

local grouped, limit = ARGV[1] == '1', tonumber(ARGV[2])
local at = 3

local function argument()
    at = at + 1
    return ARGV[at]
end

local pushes, keys = {}, {}
for push = 1, tonumber(ARGV[3]) do
    local jobs = {}
    for position = 1, tonumber(argument()) do
        local job = {record = argument()}
        local asks = argument()
        if asks ~= '' then
            if asks:find('g', 1, true) then
                job.group = argument()
            end
            if asks:find('d', 1, true) then
                job.delay = tonumber(argument())
            end
            if asks:find('k', 1, true) then
                job.key, job.hold, job.tag = argument(), tonumber(argument()), argument()
                job.telling = tonumber(argument())
                keys[#keys + 1] = job.key
                job.accountable = asks:find('a', 1, true)
            end
        end
        jobs[position] = job
    end
    pushes[push] = jobs
end

-- Who holds a key: {id, tag or false}.
local holders = {}
if #keys > 0 then
    for position, held in ipairs(call('HMGET', K .. ':uniques', unpack(keys))) do
        if held then
            local untl, id, tag = held:match('^(%d+) (%d+) (.*)$')
            if untl == '0' or tonumber(untl) > now then
                holders[keys[position]] = {id, tag ~= '' and tag:sub(2)}
            end
        end
    end
end

-- The first key of a push that is held for another use, as far as the tag of its holder tells.
local function taken_key(jobs)
    local first = {}
    for _, job in ipairs(jobs) do
        if job.key and job.telling > 0 then
            local held = holders[job.key]
            local tag = held and (held[2] or '') or first[job.key] or job.tag:sub(2)
            if tag:sub(1, job.telling) ~= job.tag:sub(2, job.telling + 1) then
                return job.key
            end
            first[job.key] = first[job.key] or tag
        end
    end
end

-- How many jobs a group holds, those of this call included.
local queued, fills = {}, {}
local some_delayed = grouped and call('EXISTS', K .. ':delayed') == 1

local function look_at(group)
    if not queued[group] then
        queued[group] = call('ZCARD', jobs_of(group))
        fills[group] = queued[group]
        if some_delayed then
            fills[group] = fills[group] + (tonumber(call('HGET', K .. ':delayed', group)) or 0)
        end
    end
end

local function full_group(jobs)
    local more, seen = {}, {}
    for _, job in ipairs(jobs) do
        if not (job.key and (holders[job.key] or seen[job.key])) then
            more[job.group] = (more[job.group] or 0) + 1
            look_at(job.group)
            if fills[job.group] + more[job.group] > limit then
                return job.group
            end
        end
        if job.key then
            seen[job.key] = true
        end
    end
end

local records, fresh, later, later_ids, uniques, keyed, expiring, owed = {}, {}, {}, {}, {}, {}, {}, {}
local joined, order, bytes = {}, {}, 0

local function add(list, one, two)
    list[#list + 1] = one
    list[#list + 1] = two
end

local function admit(job)
    local id = number()
    add(records, id, job.record)
    bytes = bytes + #job.record
    if job.key then
        local untl = job.hold > 0 and text(now + job.hold) or '0'
        add(uniques, job.key, untl .. ' ' .. id .. ' ' .. job.tag)
        holders[job.key] = {id, job.tag ~= '' and job.tag:sub(2)}
        if job.accountable then
            add(owed, id, job.key)
        end
        if job.hold > 0 then
            add(expiring, untl, job.key)
        else
            add(keyed, id, job.key)
        end
    end
    if job.group and limit then
        fills[job.group] = fills[job.group] + 1
    end
    if job.delay then
        add(later, text(now + job.delay), id .. ':' .. (job.group or ''))
        add(later_ids, id, id)
        if job.group then
            call('HINCRBY', K .. ':delayed', job.group, 1)
        end
    elseif job.group then
        if not joined[job.group] then
            joined[job.group] = {}
            order[#order + 1] = job.group
        end
        add(joined[job.group], id, id)
    else
        fresh[#fresh + 1] = id
    end
    return id
end

local answers = {}
for push, jobs in ipairs(pushes) do
    local taken = #keys > 0 and taken_key(jobs)
    local full = not taken and grouped and limit and full_group(jobs)
    if taken then
        answers[push] = {2, taken}
    elseif full then
        answers[push] = {1, full}
    else
        local answer = {0}
        for position, job in ipairs(jobs) do
            answer[position + 1] = job.key and holders[job.key] or admit(job)
        end
        answers[push] = #answer == 2 and type(answer[2]) == 'string' and answer[2] or answer
    end
end

if #records > 0 then
    many('HSET', K .. ':jobs', records)
    many('HSET', K .. ':uniques', uniques)
    many('HSET', K .. ':keyed', keyed)
    many('ZADD', K .. ':expiring', expiring)
    many('ZADD', K .. ':owed', owed)
    many('ZADD', K .. ':later', later)
    many('ZADD', K .. ':later_ids', later_ids)
    local first = #fresh > 0 and call('EXISTS', K .. ':fresh', K .. ':ready') == 0
        or #order > 0 and call('EXISTS', K .. ':rota') == 0
    many('RPUSH', K .. ':fresh', fresh)
    for _, group in ipairs(order) do
        look_at(group)
        many('ZADD', jobs_of(group), joined[group])
        if queued[group] == 0 then
            place(group, nil, joined[group][1])
        end
    end
    write_places()
    -- Whatever becomes of who stands by, it is pushed.
    save()
    local served = false
    if first and #later == 0 and call('EXISTS', K .. ':suspects') == 0 then
        served = serve(grouped, bytes)
        save()
    end
    if not served then
        wake()
    end
end
return answers
