-- Stops or restarts handing out, of the lane or of a group. The hash `paused` has 1 for a group that waits for its end
-- alone, 0 for one that is in hand, blocked or empty.
--
-- ARGV: who · the lane's name · 1 to pause, 0 to resume · `lane`, or `group` and its name.

local pausing, group = ARGV[3] == '1', ARGV[4] == 'group' and ARGV[5] or nil
if not group then
    if pausing then
        call('HSET', K, 'stopped', 1)
    else
        call('HDEL', K, 'stopped')
    end
elseif pausing then
    local stood = call('ZREM', K .. ':rota', group) + call('ZREM', K .. ':suspects', group)
    if call('HEXISTS', K .. ':paused', group) == 0 then
        call('HSET', K .. ':paused', group, stood)
    end
else
    local waits = call('HGET', K .. ':paused', group) == '1'
    call('HDEL', K .. ':paused', group)
    some_paused = call('EXISTS', K .. ':paused') == 1
    if waits then
        place(group)
        write_places()
    end
end
note(ARGV[1], pausing and 'pause' or 'resume', ARGV[2], group or '')
save()
wake()
return 0
