-- Puts dead letters back, with all attempts before them, except where another job holds the key. At most 500.
--
-- ARGV: who · the lane's name · `ids` and ids, or `oldest` and how many. Answers the ids put back.

local back = {}
for _, id in ipairs(chosen()) do
    local record = call('HGET', K .. ':letters', id)
    local said = header(record)
    local holder = said.key and call('HGET', K .. ':uniques', said.key)
    local untl, of = nil, nil
    if holder then
        untl, of = holder:match('^(%d+) (%d+) ')
    end
    if not (of and of ~= id and (untl == '0' or tonumber(untl) > now)) then
        local mark = cjson.decode(call('HGET', K .. ':epitaphs', id))
        dig_up(id, said.key)
        call('HSET', K .. ':jobs', id, record)
        write_mark(id, {h = mark.h})
        if said.key and (said.hold or 0) == 0 then
            call('HSET', K .. ':uniques', said.key, '0 ' .. id .. ' ' .. (said.tag and '+' .. said.tag or ''))
            call('HSET', K .. ':keyed', id, said.key)
        end
        if said.group then
            local was_empty = call('EXISTS', jobs_of(said.group)) == 0
            call('ZADD', jobs_of(said.group), id, id)
            if was_empty then
                place(said.group, nil, id)
            else
                precede(said.group, id)
            end
        else
            call('ZADD', K .. ':ready', id, id)
        end
        back[#back + 1] = id
    end
end
write_places()
note_letters('retry_dead', back)
save()
wake()
return back
