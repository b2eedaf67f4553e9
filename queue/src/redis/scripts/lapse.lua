-- Takes over what other workers' lapsed leases left; see marks and hands.

local function blame(mark, hand)
    if #hand.ids > 1 then
        mark.s = hand.suspect and '0' or hand.token
        return
    end
    mark.s = '0'
    if hand.suspect then
        mark.c = (mark.c or 0) + 1
        if not mark.d then
            mark.a = (mark.a or 0) + 1
            if mark.c >= 3 then
                mark.c, mark.d, mark.t = nil, 'its worker died three times while it ran alone', now
            end
        end
    end
end

-- Hand-outs whose leases have lapsed, of at most about 500 jobs; what is left of an entry goes back.
local function lapsed()
    local list, most, seen, met = {}, math.max(1, math.floor(500 / ask.batch)), 0, {}
    local entries = call('ZRANGEBYSCORE', K .. ':leases', '-inf', text(now), 'LIMIT', 0, 20)
    for _, entry in ipairs(entries) do
        if #list >= most or seen >= 500 then
            at_latest(0)
            break
        end
        call('ZREM', K .. ':leases', entry)
        local found, rest = {}, {}
        -- What was renewed stands in two entries, and both may be over.
        for token in entry:gmatch('%d+') do
            if not met[token] then
                found[#found + 1] = token
                met[token] = true
            end
        end
        seen = seen + #found
        for _, hand in ipairs(held_by(found)) do
            if hand.lapse <= now then
                table.insert(#list < most and list or rest, hand)
            end
        end
        if #rest > 0 then
            for position, hand in ipairs(rest) do
                rest[position] = hand.token
            end
            call('ZADD', K .. ':leases', text(now), table.concat(rest, ','))
            at_latest(0)
        end
    end
    if #entries == 20 then
        at_latest(0)
    end
    return list
end

-- Whether anything went back, which others may not know of.
local went_back = false

-- Gives back what hand-outs hold that are over.
local function restore(held, accused)
    went_back = went_back or #held > 0
    local marks = read_marks(finish(held))
    for _, hand in ipairs(held) do
        for _, id in ipairs(accused and hand.ids or {}) do
            marks[id] = marks[id] or {}
            blame(marks[id], hand)
            write_mark(id, marks[id])
        end
        if ask.grouped then
            place(hand.group)
        else
            give_back(hand.ids, marks)
        end
    end
    save()
end

local function take_over()
    local held = now >= grace and lapsed() or {}
    if #held > 0 then
        restore(held, true)
    end
end
