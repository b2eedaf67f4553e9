-- Hands out jobs: first what became due or was left by others, then a cohort or suspect, then the rest.
--
-- ARGV: 1 if grouped · the lease in ms · most jobs in a hand-out · most hand-outs · who asks · the number of this claim,
-- rising with each · the number of the last that was answered; what was handed out to a later one goes back · 1 if the
-- one before was to stand by and is known to have been heard.
-- Answers after how many ms to ask again, or -1, and what `hand_over` does.

ask = {
    grouped = ARGV[1] == '1', lease = tonumber(ARGV[2]), batch = tonumber(ARGV[3]), hands = tonumber(ARGV[4]),
    name = ARGV[5], claim = ARGV[6],
}
ask.lapses = ':' .. text(now + ask.lease) .. ':'
local claim, answered = tonumber(ARGV[6]), tonumber(ARGV[7])

-- What an earlier claim handed out and never brought to its asker goes back as it was.
local before = call('GET', K .. ':asker:' .. ask.name)
if before then
    local done, list = before:match('^(%d+) (.*)$')
    if tonumber(done) >= claim then
        return {0}
    end
    if tonumber(done) > answered then
        local handed = {}
        for token in list:gmatch('%d+') do
            handed[#handed + 1] = token
        end
        restore(held_by(handed), false)
    end
end
if answered < claim - 1 then
    sit_down({ask.name})
    -- The one before may still be on its way, and is to find that this one was there.
    if ARGV[8] ~= '1' then
        remember({})
    end
end

-- The next cohort or suspect, while no other of the lane is in hand.
local function summon()
    local next_up = call('ZRANGE', K .. ':suspects', 0, ask.grouped and 15 or 0)
    for _, member in ipairs(next_up) do
        call('ZREM', K .. ':suspects', member)
        if not ask.grouped then
            local list, rest = {}, {}
            for id in member:gmatch('%d+') do
                table.insert(#list < ask.batch and list or rest, id)
            end
            if #rest > 0 then
                call('ZADD', K .. ':suspects', rest[1], table.concat(rest, ','))
            end
            return take(list, 1, #list, nil, true)
        end
        local list = call('ZRANGE', jobs_of(member), 0, ask.batch)
        local marks = read_marks(list)
        local standing = list[1] and marks[list[1]] and marks[list[1]].s
        if standing then
            local count = 1
            while standing ~= '0' and count < ask.batch and marks[list[count + 1]]
                and marks[list[count + 1]].s == standing do
                count = count + 1
            end
            return take_of_group(list, count, member, true)
        end
        place(member)
    end
end

hear(ask.lease)
take_over()
if own[6] then
    write_places()
    return {-1}
end
let_in()
write_places()
forget_keys()
if not alone and ask.hands > 0 then
    summon()
    write_places()
end
pick()
local answer = hand_over()
look_ahead()
local in_hand = look_at_hands(ask.lease)
if not in_hand then
    call('UNLINK', K .. ':leases')
end
if in_hand or last > began then
    save()
end
if went_back and is_anything_free() then
    wake()
end
answer[1] = again
return answer
