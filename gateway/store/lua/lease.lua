-- Takes or renews the right to hold a link, by this server's clock.
--
-- KEYS  1 lease
-- ARGV  1 holder  2 milliseconds  3 a holder that is known to be gone, or empty
-- Returns the holder that stands now
local stands = redis.call('GET', KEYS[1])
if not stands or stands == ARGV[1] or (ARGV[3] ~= '' and stands == ARGV[3]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return stands
