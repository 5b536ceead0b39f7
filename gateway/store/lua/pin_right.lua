-- After a right try: the tries begin anew, and what used the PIN up is noted.
--
-- KEYS  1 PIN of the number
-- ARGV  1 digest of the PIN  2 digest of the wish that used it up, or empty
-- Returns 1 if that PIN still stands
if redis.call('HGET', KEYS[1], 'd') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'n', 0)
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'u', ARGV[2]) end
return 1
