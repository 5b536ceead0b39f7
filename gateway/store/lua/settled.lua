-- Ends settled texts: the outbox entry and the claim records go, the answer enters the sending queue.
-- Only an entry that still stands has an effect, so the call may be repeated after a crash.
--
-- KEYS  1 outbox  2 attempts  3 how far SQL has settled; then for each text its keys
-- ARGV  for each text: outbox id, number of keys, number of fields, when its answer asks for consent (ms, or
--       empty), then the fields of its answer
--       keys of a text: the sending queue (only if it has fields), the word of consent (only if it is asked for),
--       then its claim records
local k, a, ended = 4, 1, 0
local highest = redis.call('GET', KEYS[3]) or '0-0'
local function behind(one, other)
  local ms, n = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_n = string.match(other, '^(%d+)-(%d+)$')
  if ms == other_ms then return tonumber(n) > tonumber(other_n) end
  return tonumber(ms) > tonumber(other_ms)
end
while a <= #ARGV do
  local keys, fields, asked = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), ARGV[a + 3]
  if redis.call('XDEL', KEYS[1], ARGV[a]) == 1 then
    ended = ended + 1
    local first = k
    if fields > 0 then
      -- Before the question leaves, so that its answer is understood; whoever spoke meanwhile has answered it.
      if asked ~= '' then redis.call('SET', KEYS[k + 1], 'ask:' .. asked, 'NX') end
      redis.call('XADD', KEYS[k], '*', unpack(ARGV, a + 4, a + 3 + fields))
      first = k + (asked ~= '' and 2 or 1)
    end
    for i = first, k + keys - 1 do redis.call('DEL', KEYS[i]) end
  end
  redis.call('HDEL', KEYS[2], ARGV[a])
  if behind(ARGV[a], highest) then highest = ARGV[a] end
  k = k + keys
  a = a + 4 + fields
end
redis.call('SET', KEYS[3], highest)
return ended
