-- Extends leases to a full one from now. At most 500.
--
-- ARGV: the lease in ms · tokens. Answers the tokens that are lost.

local lease = tonumber(ARGV[1])
hear(lease)
local tokens = {unpack(ARGV, 2)}
local lost, held = {}, {}
for position, lapse in ipairs(call('ZMSCORE', K .. ':leases', unpack(tokens))) do
    if lapse then
        held[#held + 1] = text(now + lease)
        held[#held + 1] = tokens[position]
    else
        lost[#lost + 1] = tokens[position]
    end
end
many('ZADD', K .. ':leases', held)
if #held > 0 then
    save()
end
return lost
