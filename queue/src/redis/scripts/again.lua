-- Whether and when to ask again: after so many ms, or -1 when nothing is due by time alone.

local again = -1

local function at_latest(wait)
    if again < 0 or wait < again then
        again = math.max(wait, 0)
    end
end

-- When the next job or group falls due.
local function look_ahead()
    for _, key in ipairs({':later', ':blocked'}) do
        local first = call('ZRANGE', K .. key, 0, 0, 'WITHSCORES')[2]
        if first then
            at_latest(first - now)
        end
    end
end

-- While anything is in hand: when the first lease lapses, and in time for somebody to be heard. Says whether anything is.
local function look_at_hands(lease)
    if call('EXISTS', K .. ':hands') == 0 then
        return false
    end
    local lapses = call('ZRANGE', K .. ':leases', 0, 0, 'WITHSCORES')[2] or now
    local unheard = raw - (alive or raw)
    at_latest(math.min(math.max(lapses - now, grace - now), math.floor(lease / 3) - unheard))
    return true
end

-- Whether anything could be handed out at once.
local function is_anything_free()
    return call('EXISTS', K .. ':fresh', K .. ':ready', K .. ':rota') > 0
        or not alone and call('EXISTS', K .. ':suspects') == 1
end
