-- Notes that an entry of a stream failed alone; when it has for long enough, while others passed, it is laid
-- aside, once: time decides, and others, since what all entries suffer from is no fault of any of them.
--
-- KEYS  1 stream  2 suspects  3 aside
-- ARGV  1 id  2 reason  3 whether others pass (1 or 0)  4 least failures while others pass  5 least ms since the
--       first  6 longest ms until it is tried again; then the fields to keep in the place of its own, if any
-- Returns 1 if it was laid aside now
-- A suspect is: failures while others passed, all failures, the first of them and when it may be tried again (ms).
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not found then
  redis.call('HDEL', KEYS[2], ARGV[1])
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alone, all, first = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^(%d+) (%d+) (%d+) ')
alone, all, first = (tonumber(alone) or 0) + ARGV[3], (tonumber(all) or 0) + 1, tonumber(first) or now
if first > now then first = now end -- the clock stepped back
if alone < tonumber(ARGV[4]) or now - first < tonumber(ARGV[5]) then
  local wait = math.min(tonumber(ARGV[6]), 1000 * 2 ^ math.min(all - 1, 20))
  redis.call('HSET', KEYS[2], ARGV[1], string.format('%d %d %.0f %.0f', alone, all, first, now + wait))
  return 0
end
local kept = found[2]
if #ARGV > 6 then kept = { unpack(ARGV, 7) } end
local fields, was = { 'why', ARGV[2] }, ARGV[1]
for i = 1, #found[2], 2 do
  if found[2][i] == 'was' then was = found[2][i + 1] end -- it was replayed before: when it came first counts
end
for i = 1, #kept, 2 do
  if kept[i] ~= 'was' then
    fields[#fields + 1] = kept[i]
    fields[#fields + 1] = kept[i + 1]
  end
end
redis.call('XADD', KEYS[3], '*', 'was', was, unpack(fields))
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
