-- Handing out: the jobs that are next, in hand-outs for one who asks. At most 500 jobs of 64 groups, and 4 MiB of them,
-- or one job: so an answer is never larger than a connection, or who asks, takes in its stride.
--
-- An ask has whether the lane is `grouped`, the `lease` in ms, the most jobs in a hand-out (`batch`), the most hand-outs
-- (`hands`), the `name` of who asks and the number of its `claim`.

local ask = {}
-- What is handed out: tokens, how many jobs each has, the records of the hand-outs, and all their jobs in order.
local tokens, sizes, records, ids = {}, {}, {}, {}
local room, next_heads, emptied = 500, {}, {}
-- What was read of jobs that may be handed out, and how many bytes that is.
local record_of, weight = {}, 0
local MOST_BYTES = 4194304

-- Takes note of what was handed out for a claim, until its asker says that the answer arrived.
local function remember(handed)
    local forget_after = ask.lease * 10 + 60000
    call('SET', K .. ':asker:' .. ask.name, ask.claim .. ' ' .. table.concat(handed, ','), 'PX', forget_after)
end

-- Reads jobs, and says how many of them fit with those read before; what does not is for the next claim.
local function weigh(list, whole)
    for from = 1, #list, 32 do
        local part = {unpack(list, from, math.min(from + 31, #list))}
        for position, record in ipairs(call('HMGET', K .. ':jobs', unpack(part))) do
            record = record or ''
            weight = weight + #record
            if weight > MOST_BYTES and not whole and next(record_of) then
                at_latest(0)
                return from + position - 2
            end
            record_of[part[position]] = record
        end
    end
    return #list
end

-- A small hash of short values is a list that is read from its beginning; one wide value makes `hands` a table.
local WIDE = string.rep(' ', 64)

-- Hands out a part of a list.
local function take(list, from, count, group, suspect)
    local token, at = number(), #tokens + 1
    tokens[at], sizes[at] = token, count
    local jobs = count == 1 and list[from] or table.concat(list, ',', from, from + count - 1)
    records[2 * at - 1] = token
    records[2 * at] = (suspect and 's:' or 'n:') .. jobs .. ask.lapses .. (group or at == 1 and WIDE or '')
    for position = from, from + count - 1 do
        ids[#ids + 1] = list[position]
    end
    room = room - count
    if suspect then
        -- A cohort comes whole; it was as large when it was handed out before.
        weigh({unpack(list, from, from + count - 1)}, true)
        alone = token
        call('HSET', K, 'alone', alone)
    end
end

local function take_of_group(list, count, group, suspect)
    take(list, 1, count, group, suspect)
    if list[count + 1] then
        next_heads[#next_heads + 1] = list[count + 1]
        next_heads[#next_heads + 1] = group
    else
        emptied[#emptied + 1] = group
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
    local most = math.min(ask.hands - #tokens, 64)
    local groups = most > 0 and call('ZRANGE', K .. ':rota', 0, most - 1) or {}
    local lists, counts, wanted, gone, strays = {}, {}, {}, {}, {}
    if #groups == 64 and ask.hands > 64 then
        at_latest(0)
    end
    for at, group in ipairs(groups) do
        if #wanted == room then
            break
        end
        local list = call('ZRANGE', jobs_of(group), 0, ask.batch)
        lists[at], counts[at] = list, together(list, math.min(ask.batch, room - #wanted), read_marks(list))
        for position = 1, counts[at] do
            wanted[#wanted + 1] = list[position]
        end
    end
    local fits = weigh(wanted)
    for at, list in ipairs(lists) do
        local count = math.min(counts[at], fits)
        if count > 0 then
            take_of_group(list, count, groups[at], false)
            fits = fits - count
            gone[#gone + 1] = groups[at]
        elseif counts[at] == 0 then
            strays[#strays + 1] = groups[at]
            gone[#gone + 1] = groups[at]
        end
    end
    many('ZREM', K .. ':rota', gone)
    -- A group whose head is a suspect has no place in the rota; one that is empty has none at all.
    for _, group in ipairs(strays) do
        place(group)
    end
    write_places()
end

-- The first jobs of `fresh` and `ready`, in order.
local function pop(most)
    local fresh = call('LPOP', K .. ':fresh', most) or {}
    local ready = call('ZRANGE', K .. ':ready', 0, most - 1)
    if #ready == 0 then
        return fresh
    end
    local list, rest, one, two = {}, {}, 1, 1
    while #list < most and (fresh[one] or ready[two]) do
        if not ready[two] or (fresh[one] and tonumber(fresh[one]) < tonumber(ready[two])) then
            list[#list + 1], one = fresh[one], one + 1
        else
            list[#list + 1], two = ready[two], two + 1
        end
    end
    if two > 1 then
        call('ZREMRANGEBYRANK', K .. ':ready', 0, two - 2)
    end
    for position = #fresh, one, -1 do
        rest[#rest + 1] = fresh[position]
    end
    many('LPUSH', K .. ':fresh', rest)
    return list
end

local function pick_plain()
    local wanted = (ask.hands - #tokens) * ask.batch
    local most = math.min(wanted, room)
    local list, rest = most > 0 and pop(most) or {}, {}
    if #list == most and most < wanted then
        at_latest(0)
    end
    local fits, marks = weigh(list), read_marks(list)
    local from = 1
    while from <= fits and #tokens < ask.hands do
        local count = math.min(ask.batch, fits - from + 1)
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

local function pick()
    if ask.grouped then
        pick_grouped()
    else
        pick_plain()
    end
    if room == 0 and #tokens < ask.hands then
        at_latest(0)
    end
end

-- Takes note of what was picked. Answers a place for when to ask again, and for each hand-out its token, how many jobs,
-- and for each of them its id, record and mark.
local function hand_over()
    local answer = {0}
    if #tokens == 0 then
        return answer
    end
    many('HSET', K .. ':hands', records)
    call('ZADD', K .. ':leases', text(now + ask.lease), table.concat(tokens, ','))
    many('SADD', K .. ':running', ids)
    many('ZADD', K .. ':heads', next_heads)
    many('ZREM', K .. ':heads', emptied)
    remember(tokens)
    local marks = has_marks and call('HMGET', K .. ':marks', unpack(ids)) or {}
    local at, out = 0, 1
    for position, token in ipairs(tokens) do
        answer[out + 1], answer[out + 2] = token, sizes[position]
        out = out + 2
        for _ = 1, sizes[position] do
            at = at + 1
            local id = ids[at]
            answer[out + 1], answer[out + 2], answer[out + 3] = id, record_of[id], marks[at] or ''
            out = out + 3
        end
    end
    return answer
end
