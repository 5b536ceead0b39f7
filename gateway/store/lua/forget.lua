-- Forgets what is kept of a shopper at a firm. A STOP stays: it is all that is kept of whoever was erased.
--
-- KEYS  1 limits  2 consent
-- ARGV  1 when the STOP was said that must stand, ms since 1970, or empty
-- Returns 1 if a STOP stands now
redis.call('DEL', KEYS[1])
local word = redis.call('GET', KEYS[2])
if ARGV[1] ~= '' and not word then
  redis.call('SET', KEYS[2], 'out:' .. ARGV[1])
elseif word and string.sub(word, 1, 4) ~= 'out:' then
  redis.call('DEL', KEYS[2])
end
word = redis.call('GET', KEYS[2])
return word and 1 or 0
