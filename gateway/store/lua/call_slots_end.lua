-- Gives slots of offer calls back; each only if it is still the call's.
--
-- KEYS  1 live calls of all  then for each call: person, live calls of its blast
-- ARGV  the id of each call
-- Returns how many were
local ended = 0
for i, id in ipairs(ARGV) do
  local person, live = KEYS[2 * i], KEYS[2 * i + 1]
  if redis.call('GET', person) == id then redis.call('DEL', person) end
  redis.call('ZREM', live, id)
  ended = ended + redis.call('ZREM', KEYS[1], id)
end
return ended
