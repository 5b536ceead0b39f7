-- Drops a text that waits to be sent, with its intent and the record of the text that it answers.
--
-- KEYS  1 sending queue  2 intents; then seen, if the text answers one
-- ARGV  1 id  2 name of its intent
-- Returns how often its submit was begun, or -1 where it does not wait any more
local begun = redis.call('HGET', KEYS[2], ARGV[2]) or '0'
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return -1 end
redis.call('HDEL', KEYS[2], ARGV[2])
if KEYS[3] then redis.call('DEL', KEYS[3]) end
return tonumber(string.match(begun, '^%d+'))  -- who noted it may stand behind
