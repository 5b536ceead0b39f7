-- Tells the state of a blast, unless a later one has been told.
--
-- KEYS  1 its state  2 its course (hash): revision of the state, and the last batch that was put
-- ARGV  1 state  2 revision  3 seconds that both are kept, 0: as long as it lives
-- Returns 1 told, 0 a later one stands
if tonumber(redis.call('HGET', KEYS[2], 'revision') or 0) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], 'revision', ARGV[2])
redis.call('SET', KEYS[1], ARGV[1])
if ARGV[3] ~= '0' then
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
return 1
