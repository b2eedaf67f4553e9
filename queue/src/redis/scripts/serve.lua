-- Gives what a push brings to one who stands by, in the push's own script: a job for an idle worker costs no second
-- flush, and nobody has to be woken to ask.
--
-- The hash `standing` has, by the name of who asks, since when, the number of its claim, the lease, the most jobs in a
-- hand-out, the most hand-outs, and its channel. Who did not stand anew for half a lease is frozen or gone, and who has
-- nobody listening is given nothing. It is told by a message, which may be lost; then its next claim says that this one
-- was never answered.

-- Most bytes of jobs in a message.
local LARGEST = 262144

local function who_stands()
    for _ = 1, 4 do
        local found = call('HRANDFIELD', K .. ':standing', 1, 'WITHVALUES')
        if not found[1] then
            return nil
        end
        call('HDEL', K .. ':standing', found[1])
        local since, claim, lease, batch, hands, channel = found[2]:match('^(%d+) (%d+) (%d+) (%d+) (%d+) (.*)$')
        if raw - since < lease / 2 and call('PUBSUB', 'NUMSUB', channel)[2] > 0 then
            return {
                name = found[1], claim = claim, lease = tonumber(lease), batch = tonumber(batch),
                hands = tonumber(hands), channel = channel,
            }
        end
    end
end

-- A list of texts and whole numbers as one text: what it is, its length, and itself.
local function packed(list)
    for position, item in ipairs(list) do
        item = type(item) == 'number' and text(item) or item
        list[position] = (type(list[position]) == 'number' and 'i' or 's') .. #item .. ':' .. item
    end
    return table.concat(list)
end

-- Hands out what waits, which is what was just pushed, and says whether all of it was.
local function serve(is_grouped, bytes)
    local waiting = K .. (is_grouped and ':rota' or ':fresh')
    local who = not own[6] and bytes <= LARGEST and call('EXISTS', waiting) == 1 and who_stands()
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
    look_ahead(ask.lease)
    answer[1] = again
    table.insert(answer, 1, ask.claim)
    table.insert(answer, 1, ask.name)
    call('PUBLISH', ask.channel, packed(answer))
    return call('EXISTS', waiting) == 0
end
