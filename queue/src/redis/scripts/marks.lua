-- Marks: what has become of a job since it was pushed, as JSON in the hash `marks`; a job without one is as it was.
--
-- a: attempts that failed; h: the last ten failures; s: its standing, '0' a suspect, otherwise the number of its cohort;
-- c: crashes alone; d: why it is doomed; t: since when.

local has_marks = call('EXISTS', K .. ':marks') == 1

local function read_marks(ids)
    local marks = {}
    for from = 1, has_marks and #ids or 0, 4000 do
        local part = {unpack(ids, from, math.min(from + 3999, #ids))}
        for position, mark in ipairs(call('HMGET', K .. ':marks', unpack(part))) do
            marks[part[position]] = mark and cjson.decode(mark) or nil
        end
    end
    return marks
end

local function write_mark(id, mark)
    if next(mark) then
        has_marks = true
        call('HSET', K .. ':marks', id, cjson.encode(mark))
    elseif has_marks then
        call('HDEL', K .. ':marks', id)
    end
end
