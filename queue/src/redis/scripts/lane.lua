-- Begins every script: the lane's own hash, the clock, and numbers.
--
-- KEYS[1] is the lane's own hash, `fairy:{lane}`; every other key is that name with a suffix, so all share one slot.
-- Numbers (ids, tokens, turns) come from one counter that is never behind the clock in microseconds: they rise for
-- ever, even when the server lost its data, and an id tells when its job was pushed.

local K = KEYS[1]
local call = redis.call

local own = call('HMGET', K, 'shift', 'last', 'alive', 'grace', 'alone', 'stopped')
local shift = tonumber(own[1]) or 0
local time = call('TIME')
-- Milliseconds: as the server's clock has it, and as the lane judges by.
local raw = time[1] * 1000 + math.floor(time[2] / 1000)
local now = raw + shift
local last = math.max(tonumber(own[2]) or 0, time[1] * 1000000 + time[2] + shift * 1000)
local began = last
local alive, grace, alone = tonumber(own[3]), tonumber(own[4]) or 0, own[5] or nil

local function text(number)
    return string.format('%.0f', number)
end

-- The first digits are those of the number before, nearly always, and to write them is what costs.
local digits, more = nil, 0

local function number()
    last, more = last + 1, more + 1
    if not digits or more >= 1000000 then
        local millions = math.floor(last / 1000000)
        digits, more = text(millions), last - millions * 1000000
    end
    return string.format('%s%06d', digits, more)
end

-- A command with as many arguments as there are, in parts that fit on Lua's stack; nothing when there are none.
local function many(command, key, items)
    for from = 1, #items, 4000 do
        call(command, key, unpack(items, from, math.min(from + 3999, #items)))
    end
end

-- `alive` moves where a worker is heard; a push says nothing of whether one could be.
local function save()
    call('HSET', K, 'last', text(last), 'alive', alive or raw)
end

-- Tells every worker of the lane to look again.
local function wake()
    call('PUBLISH', K .. ':wake', '')
end
