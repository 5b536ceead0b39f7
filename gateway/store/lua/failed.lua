-- Counts a failed settlement; after the last one allowed the entry becomes a dead letter, once.
--
-- KEYS  1 outbox  2 attempts  3 dead
-- ARGV  1 outbox id  2 most attempts  3 reason
-- Returns 1 if it became a dead letter now
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not found then return 0 end
if redis.call('HINCRBY', KEYS[2], ARGV[1], 1) < tonumber(ARGV[2]) then return 0 end
local fields, was = { 'why', ARGV[3] }, ARGV[1]
for i = 1, #found[2], 2 do
  if found[2][i] == 'was' then was = found[2][i + 1] -- it was replayed before: when it was accepted counts
  else
    fields[#fields + 1] = found[2][i]
    fields[#fields + 1] = found[2][i + 1]
  end
end
redis.call('XADD', KEYS[3], '*', 'was', was, unpack(fields))
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
