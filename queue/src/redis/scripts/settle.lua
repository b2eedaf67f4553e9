-- Carries out verdicts where the token still holds. At most 500 verdicts, or those of one hand-out.
--
-- ARGV: 1 if grouped · the lease in ms · for each hand-out its token and its verdicts: `n:` and the ids and `:` if all are
-- to be forgotten, otherwise JSON, by id: ["x"] forget · ["bury"] · ["back"] · ["isolate"] · ["snooze", ms] ·
-- ["retry", ms, error] · ["doom", attempted, error].
-- Answers the tokens that are lost.

local grouped = ARGV[1] == '1'
hear(tonumber(ARGV[2]))

local tokens, verdicts = {}, {}
for at = 3, #ARGV, 2 do
    tokens[#tokens + 1] = ARGV[at]
    verdicts[ARGV[at]] = ARGV[at + 1]
end

-- In a plain lane most are hand-outs of which all is done and nothing was suspected: those need not be read.
local held, lost, done, quick = {}, {}, {}, {}
for position, record in ipairs(call('HMGET', K .. ':hands', unpack(tokens))) do
    local token = tokens[position]
    local verdict = verdicts[token]
    if not record then
        lost[#lost + 1] = token
    elseif not grouped and record:sub(1, #verdict) == verdict then
        quick[#quick + 1] = token
        if verdict:find(',', 1, true) then
            for id in verdict:gmatch('%d+') do
                done[#done + 1] = id
            end
        else
            done[#done + 1] = verdict:sub(3, -2)
        end
    else
        held[#held + 1] = read_hand(token, record)
    end
end
local was_alone = alone
many('HDEL', K .. ':hands', quick)
many('SREM', K .. ':running', done)
local marks = read_marks(finish(held))

local function change(id, verdict)
    local mark, kind = marks[id] or {}, verdict[1]
    if kind == 'back' then
        return nil
    end
    local untl = nil
    if kind == 'isolate' then
        mark.s = '0'
    else
        mark.s, mark.c = nil, nil
    end
    if kind == 'snooze' or kind == 'retry' then
        untl = now + verdict[2]
    end
    if kind == 'retry' then
        mark.a = (mark.a or 0) + 1
        mark.h = mark.h or {}
        if #mark.h >= 10 then
            table.remove(mark.h, 1)
        end
        table.insert(mark.h, {at = now, error = verdict[3]})
    elseif kind == 'doom' then
        mark.a = (mark.a or 0) + verdict[2]
        mark.d, mark.t = verdict[3], now
    end
    if mark.a == 0 then
        mark.a = nil
    end
    marks[id] = mark
    write_mark(id, mark)
    return untl
end

local forgotten, buried, stirred = done, {}, false
for _, hand in ipairs(held) do
    local token, given = hand.token, {}
    local all_done = verdicts[token] == 'n:' .. hand.list .. ':'
    if not all_done and verdicts[token]:sub(1, 2) == 'n:' then
        for id in verdicts[token]:gmatch('%d+') do
            given[id] = {'x'}
        end
    elseif not all_done then
        given = cjson.decode(verdicts[token])
    end
    local leaving, back, latest = {}, {}, nil
    for _, id in ipairs(hand.ids) do
        local verdict = all_done and {'x'} or given[id] or {'back'}
        if verdict[1] == 'x' or verdict[1] == 'bury' then
            leaving[#leaving + 1] = id
            table.insert(verdict[1] == 'x' and forgotten or buried, id)
        else
            local untl = change(id, verdict)
            if not untl then
                back[#back + 1] = id
            elseif grouped then
                latest = math.max(latest or 0, untl)
            else
                call('ZADD', K .. ':later', text(untl), id .. ':')
                call('ZADD', K .. ':later_ids', id, id)
            end
            stirred = true
        end
    end
    if grouped then
        many('ZREM', jobs_of(hand.group), leaving)
        stirred = place(hand.group, latest) or stirred
    else
        give_back(back, marks)
    end
end
write_places()
if was_alone and not alone and call('EXISTS', K .. ':suspects') == 1 then
    stirred = true
end
bury(buried, marks)
forget(forgotten)
forget(buried)
if #lost < #tokens then
    save()
end
if stirred then
    wake()
end
return lost
