-- Who stands by for the next push: in the zset `standing` the names of those who ask, by when they last said so, and in
-- the hash `stands` what each asks for.
--
-- That is true of the moment only. So it goes neither into the append-only file nor to replicas, where the server can
-- leave it out; an idle lane costs the disk nothing, and it is gone when nobody has said so for two leases.

local STANDING, STANDS = K .. ':standing', K .. ':stands'
local set_repl = redis.set_repl or function() end

local function unkept(command, key, ...)
    set_repl(redis.REPL_NONE)
    call(command, key, ...)
    set_repl(redis.REPL_ALL)
end

local function sit_down(names)
    if #names > 0 then
        unkept('ZREM', STANDING, unpack(names))
        unkept('HDEL', STANDS, unpack(names))
    end
end

-- Notes that somebody stands by or still does, and forgets some who no longer do.
local function stand_up(name, asks, lease)
    sit_down(call('ZRANGEBYSCORE', STANDING, '-inf', text(raw - lease), 'LIMIT', 0, 16))
    unkept('ZADD', STANDING, text(raw), name)
    unkept('HSET', STANDS, name, asks)
    unkept('PEXPIRE', STANDING, 2 * lease)
    unkept('PEXPIRE', STANDS, 2 * lease)
end
