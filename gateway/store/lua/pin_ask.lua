-- Counts a wish for a one-time PIN and, if it may be sent, puts it in place of an older one.
-- Whoever asks is counted first, so that the answer about a number cannot be asked for without end.
--
-- KEYS  1 PIN of the number  2 count for the number  3 count for the address  4 count of all  5 count of the firm
-- ARGV  1 digest of the PIN  2 short number  3 seconds that the PIN lives  4 most for a number
--       5 most for an address  6 most of all  7 seconds of a count  8 how many firms there are
-- Of several firms none may have more than it leaves to the others, so that a noisy one never takes the last.
-- Returns sent, number, address or all (whose limit it is), and the seconds until that count begins anew
local function over(key, most)
  return tonumber(redis.call('GET', key) or 0) >= tonumber(most)
end
local function count(key)
  if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[7]) end
end

if over(KEYS[3], ARGV[5]) then return { 'address', redis.call('TTL', KEYS[3]) } end
count(KEYS[3])
if over(KEYS[4], ARGV[6]) then return { 'all', redis.call('TTL', KEYS[4]) } end
local left = tonumber(ARGV[6]) - tonumber(redis.call('GET', KEYS[4]) or 0)
if tonumber(ARGV[8]) > 1 and over(KEYS[5], left) then return { 'all', math.max(redis.call('TTL', KEYS[5]), 1) } end
if over(KEYS[2], ARGV[4]) then return { 'number', redis.call('TTL', KEYS[2]) } end
count(KEYS[2])
count(KEYS[4])
count(KEYS[5])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'd', ARGV[1], 's', ARGV[2], 'n', 0)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return { 'sent', 0 }
