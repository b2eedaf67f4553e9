-- Stands by for the next push to an idle lane, until the next claim of the same asker; see `serve`.
--
-- ARGV: the lease in ms · most jobs in a hand-out · most hand-outs · who asks · the number of this claim, rising with each ·
-- the number of the last that was answered · the channel on which it listens.
-- Answers after how many ms to claim, or -1.

local lease, before = tonumber(ARGV[1]), call('GET', K .. ':asker:' .. ARGV[4])
if before and tonumber(before:match('^%d+')) > tonumber(ARGV[6]) then
    return 0
end
local asked = {text(raw), ARGV[5], ARGV[1], ARGV[2], ARGV[3], ARGV[7]}
call('HSET', K .. ':standing', ARGV[4], table.concat(asked, ' '))
look_ahead(lease)
return again
