-- Gives what a push brings to one who stands by, in the push's own script: a job for an idle worker costs no second
-- flush, and nobody has to be woken to ask.
--
-- It is told by a message, which may be lost; then its next claim says that this one was never answered. A process that
-- is gone has nobody listening, or has not said for half a lease that it stands by: it is given nothing. Only one whose
-- machine vanished a moment ago can be taken for alive, and what it is given waits for its lease.

-- Most bytes of jobs in a message.
local LARGEST_MESSAGE = 262144

-- Of the four who said so last, the one with the most hands free, for the others are busier; of equals the last.
local function who_stands()
    local list = call('ZRANGE', STANDING, 0, 3, 'REV', 'WITHSCORES')
    local names, since, channels, candidates = {}, {}, {}, {}
    for at = 1, #list, 2 do
        names[#names + 1], since[#since + 1] = list[at], list[at + 1]
    end
    for position, asks in ipairs(#names > 0 and call('HMGET', STANDS, unpack(names)) or {}) do
        local claim, lease, batch, hands, channel = (asks or ''):match('^(%d+) (%d+) (%d+) (%d+) (.*)$')
        if claim and raw - since[position] < lease / 2 then
            channels[#channels + 1] = channel
            candidates[#candidates + 1] = {
                name = names[position], claim = claim, lease = tonumber(lease), batch = tonumber(batch),
                hands = tonumber(hands), channel = channel,
            }
        end
    end
    local listen, best = #channels > 0 and redis.pcall('PUBSUB', 'NUMSUB', unpack(channels)) or {}, nil
    for position, who in ipairs(candidates) do
        -- Nobody listens as far as is known where it may not be asked.
        if (listen[2 * position] or 0) > 0 and (not best or who.hands > best.hands) then
            best = who
        end
    end
    -- Who is passed over and still there says so again soon.
    sit_down(best and {best.name} or names)
    return best
end

-- A list of texts and whole numbers as one text: what it is, its length, and itself.
local function packed(list)
    for position, item in ipairs(list) do
        item = type(item) == 'number' and text(item) or item
        list[position] = (type(list[position]) == 'number' and 'i' or 's') .. #item .. ':' .. item
    end
    return table.concat(list)
end

-- Hands out what waits, which is what was just pushed, and says whether all of it was. Where something else is due by now
-- it may come before that, and a claim has to let it in.
local function serve(is_grouped, bytes)
    if own[6] or bytes > LARGEST_MESSAGE or call('EXISTS', STANDING) == 0 or not is_anything_free() then
        return false
    end
    look_ahead()
    local who = again ~= 0 and who_stands()
    if not who then
        return false
    end
    ask = who
    ask.grouped, ask.lapses = is_grouped, ':' .. text(now + ask.lease) .. ':'
    if call('EXISTS', K .. ':hands') == 0 then
        alive = raw
    end
    pick()
    local answer = hand_over()
    look_at_hands(ask.lease)
    answer[1] = again
    call('PUBLISH', ask.channel, packed({ask.name, ask.claim, raw, unpack(answer)}))
    return not is_anything_free()
end
