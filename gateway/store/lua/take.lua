-- Takes answers from a firm's sending queue and notes the intent to submit each, on disk before it leaves.
--
-- KEYS  1 send  2 intents
-- ARGV  1 last id taken before (exclusive; - for the beginning)  2 most entries
-- Returns for each: id, times it was begun (this one included), then its fields
local from = ARGV[1] == '-' and '-' or '(' .. ARGV[1]
local out = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])) do
  local begun = redis.call('HINCRBY', KEYS[2], entry[1], 1)
  out[#out + 1] = { entry[1], begun, entry[2] }
end
return out
