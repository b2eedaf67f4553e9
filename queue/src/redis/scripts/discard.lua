-- Deletes dead letters, and strikes out of the account whichever of the ids are lost. At most 500.
--
-- ARGV: who · the lane's name · `ids` and ids, or `oldest` and how many. Answers the ids deleted.

local gone, lost = chosen(), {}
for _, id in ipairs(gone) do
    dig_up(id, header(call('HGET', K .. ':letters', id)).key)
end
if ARGV[3] == 'ids' then
    for at = 4, math.min(#ARGV, 503) do
        local id = tonumber(ARGV[at]) and text(tonumber(ARGV[at]))
        if id and call('HEXISTS', K .. ':jobs', id) == 0 and call('ZREMRANGEBYSCORE', K .. ':owed', id, id) > 0 then
            lost[id] = true
        end
    end
end
for _, id in ipairs(gone) do
    call('ZREMRANGEBYSCORE', K .. ':owed', id, id)
    lost[id] = nil
end
for id in pairs(lost) do
    gone[#gone + 1] = id
end
note_letters('discard_dead', gone)
return gone
