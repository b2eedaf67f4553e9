-- Deletes dead letters. At most 500.
--
-- ARGV: who · the lane's name · `ids` and ids, or `oldest` and how many. Answers the ids deleted.

local gone = chosen()
for _, id in ipairs(gone) do
    dig_up(id, header(call('HGET', K .. ':letters', id)).key)
end
note(ARGV[1], 'discard_dead', ARGV[2], listed(gone))
return gone
