-- Counts a try at a PIN before anybody compares it, so that tries at the same moment are all counted.
--
-- KEYS  1 PIN of the number
-- ARGV  1 most tries
-- Returns nothing where there is no PIN or its tries are spent; else its digest, its short number, and the
--         digest of the wish that used it up (empty: none has)
local held = redis.call('HMGET', KEYS[1], 'd', 's', 'u')
if not held[1] then return {} end
if redis.call('HINCRBY', KEYS[1], 'n', 1) > tonumber(ARGV[1]) then return {} end
return { held[1], held[2], held[3] or '' }
