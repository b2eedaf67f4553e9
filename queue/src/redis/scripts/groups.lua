-- Where a group that is in nobody's hands stands: in the rota, among the suspects, blocked, parked, or nowhere.
--
-- Its jobs are the zset `g:<group>`, those in hand included. `heads` has the first job of each group that is not in hand.
-- Where groups are placed is written by `write_places`, for all of them in a few commands.

local function jobs_of(group)
    return K .. ':g:' .. group
end

local some_paused = call('EXISTS', K .. ':paused') == 1
local heads_of, headless, places = {}, {}, {blocked = {}, suspects = {}, rota = {}}

local function stand(where, score, group)
    local list = places[where]
    list[#list + 1] = score
    list[#list + 1] = group
end

-- Puts a group where its head belongs, behind all others; `head` may be given when it is known.
local function place(group, blocked_until, head)
    head = head or call('ZRANGE', jobs_of(group), 0, 0)[1]
    if not head then
        headless[#headless + 1] = group
        return false
    end
    heads_of[group] = head
    if blocked_until and blocked_until > now then
        stand('blocked', text(blocked_until), group)
    elseif some_paused and call('HEXISTS', K .. ':paused', group) == 1 then
        call('HSET', K .. ':paused', group, 1)
    else
        local mark = has_marks and read_marks({head})[head]
        stand(mark and mark.s and 'suspects' or 'rota', number(), group)
    end
    return true
end

-- Takes note of a job that came into a group that has others, perhaps before them.
local function precede(group, id)
    local placed = heads_of[group]
    if placed and tonumber(id) < tonumber(placed) then
        heads_of[group] = id
    elseif not placed then
        call('ZADD', K .. ':heads', 'LT', id, group)
    end
end

local function write_places()
    local heads = {}
    for group, head in pairs(heads_of) do
        heads[#heads + 1] = head
        heads[#heads + 1] = group
    end
    many('ZADD', K .. ':heads', heads)
    many('ZREM', K .. ':heads', headless)
    for where, list in pairs(places) do
        many('ZADD', K .. ':' .. where, list)
        places[where] = {}
    end
    heads_of, headless = {}, {}
end
