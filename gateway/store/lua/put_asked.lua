-- Puts a text that was asked for in a call into the sending queue, once.
--
-- KEYS  1 that it was put  2 the queue
-- ARGV  1 how long that is remembered, seconds  2 id of the text  3 sealed text  4 short number  5 when (ms)
--       6 until when it is of use (ms)  7 shopper  8 blast
-- Returns 1 if it was put now
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
redis.call('XADD', KEYS[2], '*', 'm', ARGV[2], 'x', ARGV[3], 'd', ARGV[4], 's', '', 't', ARGV[5],
  'u', ARGV[6], 'k', ARGV[7], 'b', ARGV[8])
return 1
