-- Puts other fields in the place of a stream's entry, which gets a new id; with it, who owns claims may change.
--
-- KEYS  1 stream; then the claim records whose owner changes
-- ARGV  1 id  2 owner of these claims, or empty; then the fields
-- Returns 1 if the entry stood; a claim record that is gone is not made again
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[2], 'XX') end
return 1
