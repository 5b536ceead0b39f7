-- What each IVR process says of its calls; who has not said anything for a while is gone.
--
-- KEYS  1 hash: process -> when it was said, seconds by this server's clock, a bar, and what
-- ARGV  1 seconds after which a process is gone; then, where one says something: 2 process  3 what
-- Returns what is said now
local now = tonumber(redis.call('TIME')[1])
if ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[2], now .. '|' .. ARGV[3])
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
local said = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, what = string.match(all[i + 1], '^(%d+)|(.*)$')
  if now - tonumber(at) >= tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    said[#said + 1] = what
  end
end
return said
