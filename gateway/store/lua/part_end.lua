-- Ends a long message whose text had its effect: a whole one is kept a while, for parts that are sent again;
-- what was left of an unfinished one goes, unless another part has come since it was read.
--
-- KEYS  1 parts of the message (hash)  2 deadlines (sorted set of such hashes)
-- ARGV  1 fields that the hash had when it was read; 0: only if it is whole
--       2 seconds that a whole message is kept
-- Returns 1 ended, 0 changed or gone
if redis.call('HEXISTS', KEYS[1], 'whole') == 1 then
  redis.call('HSET', KEYS[1], 'ended', 1)
  redis.call('EXPIRE', KEYS[1], ARGV[2])
elseif redis.call('HLEN', KEYS[1]) == tonumber(ARGV[1]) then
  redis.call('DEL', KEYS[1])
else
  return 0
end
redis.call('ZREM', KEYS[2], KEYS[1])
return 1
