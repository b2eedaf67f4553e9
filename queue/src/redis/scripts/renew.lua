-- Extends leases to a full one from now. At most 500.
--
-- ARGV: the lease in ms · tokens. Answers the tokens that are lost.

local lease = tonumber(ARGV[1])
hear(lease)
local lapse = text(now + lease)
local tokens = {unpack(ARGV, 2)}
local lost, held, records = {}, {}, {}
for position, record in ipairs(call('HMGET', K .. ':hands', unpack(tokens))) do
    if record then
        held[#held + 1] = tokens[position]
        records[#records + 1] = tokens[position]
        local jobs, group = record:match('^(%a:[%d,]*:)%d+(:.*)$')
        records[#records + 1] = jobs .. lapse .. group
    else
        lost[#lost + 1] = tokens[position]
    end
end
if #held > 0 then
    many('HSET', K .. ':hands', records)
    call('ZADD', K .. ':leases', lapse, table.concat(held, ','))
    save()
end
return lost
