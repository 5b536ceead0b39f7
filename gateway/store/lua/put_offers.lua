-- Puts a batch of a blast's texts into the sending queues, once: a batch that was put before is passed over.
--
-- KEYS  1 the blast's course (hash); then the queues
-- ARGV  1 number of the batch; then for each text: number of its queue, id, sealed text, short number,
--       shopper, when it was made (ms), until when it is of use (ms), its blast
-- Returns 1 if it was put now
if tonumber(redis.call('HGET', KEYS[1], 'put') or 0) >= tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 8 do
  redis.call('XADD', KEYS[1 + ARGV[i]], '*', 'm', ARGV[i + 1], 'x', ARGV[i + 2], 'd', ARGV[i + 3], 's', '',
    'k', ARGV[i + 4], 't', ARGV[i + 5], 'u', ARGV[i + 6], 'b', ARGV[i + 7])
end
redis.call('HSET', KEYS[1], 'put', ARGV[1])
return 1
