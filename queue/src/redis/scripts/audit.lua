-- What operators did: the list `audit`, the last 10,000 of the lane. And which letters an operator means.

local function note(by, action, lane, subject)
    local entry = cjson.encode({at = now, by = by, action = action, lane = lane, subject = subject})
    call('RPUSH', K .. ':audit', entry)
    call('LTRIM', K .. ':audit', -10000, -1)
end

-- The ids given, or the oldest so many, at most 500: ARGV from 3 is `ids` and ids, or `oldest` and a number.
local function chosen()
    if ARGV[3] == 'oldest' then
        return call('ZRANGE', K .. ':dead', 0, math.min(tonumber(ARGV[4]), 500) - 1)
    end
    local ids = {}
    for at = 4, math.min(#ARGV, 503) do
        if call('HEXISTS', K .. ':letters', ARGV[at]) == 1 then
            ids[#ids + 1] = ARGV[at]
        end
    end
    table.sort(ids, function(one, two) return tonumber(one) < tonumber(two) end)
    return ids
end

-- Notes what was done with letters, unless there were none.
local function note_letters(action, ids)
    if #ids > 0 then
        note(ARGV[1], action, ARGV[2], cjson.encode(ids))
    end
end
