#!lua
-- Takes tokens from a bucket.
--
-- KEYS[1]: when the bucket will be full again, in µs by the server's clock; it expires then, for a full bucket is none.
-- ARGV: the most it holds · how many come back in an hour · the least and the most to take.
-- Answers how many were taken, or 0 and for how many ms there will not be enough.

local burst, per_hour = tonumber(ARGV[1]), math.max(tonumber(ARGV[2]), 1)
local least, most = math.min(tonumber(ARGV[3]), burst), math.min(tonumber(ARGV[4]), burst)
local each = 3600000000 / per_hour
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
-- A clock that was set back must not make it emptier than empty.
local full_at = math.min(math.max(tonumber(redis.call('GET', KEYS[1])) or 0, now), now + burst * each)
-- The fraction is what is lost when µs are kept whole.
local tokens = burst - (full_at - now) / each + 0.000001
if tokens < least then
    return {0, math.ceil((least - tokens) * each / 1000)}
end
local taken = math.min(math.floor(tokens), most)
if taken > 0 then
    full_at = full_at + taken * each
    redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.max(math.ceil((full_at - now) / 1000), 1))
end
return {taken, 0}
