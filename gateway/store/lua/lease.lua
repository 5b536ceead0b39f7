-- Takes or renews the right to hold a link, by this server's clock.
--
-- KEYS  1 lease  2 who held it last, which does not run out
-- ARGV  1 holder  2 milliseconds  3 a holder that is known to be gone, or empty
-- Returns the holder that stands now, and 1 when nobody else held it since that one held it before
local stands = redis.call('GET', KEYS[1])
if stands and stands ~= ARGV[1] and (ARGV[3] == '' or stands ~= ARGV[3]) then
  return { stands, 0 }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if redis.call('GET', KEYS[2]) == ARGV[1] then return { ARGV[1], 1 } end
redis.call('SET', KEYS[2], ARGV[1])
return { ARGV[1], 0 }
