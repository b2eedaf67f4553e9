-- When to ask again: after so many ms, or -1 when nothing is due by time alone.

local again = -1

local function at_latest(wait)
    if again < 0 or wait < again then
        again = math.max(wait, 0)
    end
end

-- When something falls due or lapses; and while anything is in hand, soon enough to be heard. Says whether anything is.
local function look_ahead(lease)
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
    end
    return in_hand
end
