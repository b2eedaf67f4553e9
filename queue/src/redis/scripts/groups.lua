-- Where a group that is in nobody's hands stands: in the rota, among the suspects, blocked, parked, or nowhere.
--
-- Its jobs are the zset `g:<group>`, those in hand included. `heads` has the first job of each group that is not in hand.

local function jobs_of(group)
    return K .. ':g:' .. group
end

local some_paused = call('EXISTS', K .. ':paused') == 1

-- Puts a group where its head belongs, behind all others; `head` may be given when it is known.
local function place(group, blocked_until, head)
    head = head or call('ZRANGE', jobs_of(group), 0, 0)[1]
    if not head then
        call('ZREM', K .. ':heads', group)
        return false
    end
    call('ZADD', K .. ':heads', head, group)
    if blocked_until and blocked_until > now then
        call('ZADD', K .. ':blocked', text(blocked_until), group)
    elseif some_paused and call('HEXISTS', K .. ':paused', group) == 1 then
        call('HSET', K .. ':paused', group, 1)
    else
        local mark = has_marks and read_marks({head})[head]
        call('ZADD', K .. (mark and mark.s and ':suspects' or ':rota'), number(), group)
    end
    return true
end

-- Takes note of a job that came into a group that has others, perhaps before them.
local function precede(group, id)
    call('ZADD', K .. ':heads', 'LT', id, group)
end
