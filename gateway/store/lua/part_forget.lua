-- Forgets the parts of a long message, unless it is whole and its text is being decided just now.
--
-- KEYS  1 parts of the message (hash)  2 deadlines (sorted set of such hashes)
-- Returns 1 if they went
if redis.call('HEXISTS', KEYS[1], 'whole') == 1 and redis.call('HEXISTS', KEYS[1], 'ended') == 0 then return 0 end
redis.call('ZREM', KEYS[2], KEYS[1])
return redis.call('DEL', KEYS[1])
