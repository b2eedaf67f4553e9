-- Stands by for the next push to an idle lane, until the next claim of the same asker; see `serve`.
--
-- It is said again every third of a lease with the same number. A paused lane lets its workers sleep until it is resumed.
-- ARGV: the lease in ms · most jobs in a hand-out · most hand-outs · who asks · the number of this claim, rising with each ·
-- the channel on which it listens.
-- Answers after how many ms to claim, or -1, and the server's time in ms.

local lease, name, claim = tonumber(ARGV[1]), ARGV[4], tonumber(ARGV[5])
if own[6] then
    return {-1, raw}
end
-- Something was handed out for this claim and is not known of, or this call was overtaken by a later claim.
local before = call('GET', K .. ':asker:' .. name)
if before and tonumber(before:match('^%d+')) >= claim or is_anything_free() then
    return {0, raw}
end
look_ahead()
look_at_hands(lease)
if again ~= 0 then
    stand_up(name, table.concat({ARGV[5], ARGV[1], ARGV[2], ARGV[3], ARGV[6]}, ' '), lease)
end
return {again, raw}
