-- Jobs that leave: forgotten, or moved to the dead letters.
--
-- `letters` has the records of the dead, `epitaphs` their marks, `dead` their order, `dead_keys` who died with a key last.

-- Forgets jobs, and frees the keys they hold until they are acknowledged.
local function forget(ids)
    many('HDEL', K .. ':jobs', ids)
    if has_marks then
        many('HDEL', K .. ':marks', ids)
    end
    if #ids > 0 and call('EXISTS', K .. ':keyed') == 1 then
        local free = {}
        for from = 1, #ids, 4000 do
            local part = {unpack(ids, from, math.min(from + 3999, #ids))}
            for _, key in ipairs(call('HMGET', K .. ':keyed', unpack(part))) do
                if key then
                    free[#free + 1] = key
                end
            end
        end
        many('HDEL', K .. ':keyed', ids)
        many('HDEL', K .. ':uniques', free)
    end
end

-- What was said of a job when it was pushed: the first line of its record.
local function header(record)
    return cjson.decode(record:sub(1, record:find('\n', 1, true) - 1))
end

-- Copies jobs to the dead letters.
local function bury(ids, marks)
    for _, id in ipairs(ids) do
        local record = call('HGET', K .. ':jobs', id)
        local mark = marks[id] or {}
        mark.t = mark.t or now
        mark.s, mark.c = nil, nil
        call('HSET', K .. ':letters', id, record)
        call('HSET', K .. ':epitaphs', id, cjson.encode(mark))
        call('ZADD', K .. ':dead', id, id)
        local key = header(record).key
        if key then
            call('HSET', K .. ':dead_keys', key, id)
        end
    end
end

-- Takes a letter from the dead.
local function dig_up(id, key)
    call('HDEL', K .. ':letters', id)
    call('HDEL', K .. ':epitaphs', id)
    call('ZREM', K .. ':dead', id)
    if key and call('HGET', K .. ':dead_keys', key) == id then
        call('HDEL', K .. ':dead_keys', key)
    end
end
