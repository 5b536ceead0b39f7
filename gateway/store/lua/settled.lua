-- Ends settled texts: the outbox entry and the claim records go, the answer enters the sending queue.
-- Only an entry that still stands has an effect, so the call may be repeated after a crash.
--
-- KEYS  1 outbox  2 attempts; then for each text its keys
-- ARGV  for each text: outbox id, number of keys, number of fields, then the fields of its answer
--       keys of a text: the sending queue (only if it has fields), then its claim records
local k, a, ended = 3, 1, 0
while a <= #ARGV do
  local keys, fields = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  if redis.call('XDEL', KEYS[1], ARGV[a]) == 1 then
    ended = ended + 1
    local first = k
    if fields > 0 then
      redis.call('XADD', KEYS[k], '*', unpack(ARGV, a + 3, a + 2 + fields))
      first = k + 1
    end
    for i = first, k + keys - 1 do redis.call('DEL', KEYS[i]) end
  end
  redis.call('HDEL', KEYS[2], ARGV[a])
  k = k + keys
  a = a + 3 + fields
end
return ended
