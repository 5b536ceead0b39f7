-- Keeps one part of a long message, and gives all its parts in order once none is missing.
--
-- KEYS  1 parts of the message (hash)  2 deadlines (sorted set of such hashes)
--       3 a free name, for an unended message that this part contradicts
-- ARGV  1 number of the part  2 total  3 its fingerprint  4 the sealed part  5 now, s
--       6 seconds that a message may be incomplete  7 seconds that a whole one may wait for its effect
--       8 seconds that a re-sent part counts as recent
-- Fields: p<number> sealed part, d<number> fingerprint, r<number> when it was re-sent,
--         whole: nothing is missing, ended: its text had its effect (the hash then ends by its time to live)
-- Returns an empty list (waits) or the sealed parts 1 to total
local number, total, fingerprint = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local now = tonumber(ARGV[5])
local known = redis.call('HGET', KEYS[1], 'd' .. number)
local ended = redis.call('HEXISTS', KEYS[1], 'ended') == 1

local function fields(letter)
  local names = {}
  for i = 1, total do names[i] = letter .. i end
  return redis.call('HMGET', KEYS[1], unpack(names))
end

if known and known ~= fingerprint then
  -- Another message under the same reference: phones count to 255 and begin again.
  if ended then
    -- Of the old one stay the parts that came again just now: the new message begins like it.
    local parts, prints, resent = fields('p'), fields('d'), fields('r')
    redis.call('DEL', KEYS[1])
    for i = 1, total do
      if resent[i] and tostring(i) ~= number and now - tonumber(resent[i]) <= tonumber(ARGV[8]) then
        redis.call('HSET', KEYS[1], 'p' .. i, parts[i], 'd' .. i, prints[i])
      end
    end
    ended = false
  else
    redis.call('RENAME', KEYS[1], KEYS[3])
    redis.call('ZREM', KEYS[2], KEYS[1])
    redis.call('ZADD', KEYS[2], now, KEYS[3])
  end
  known = false
end

if not known then
  redis.call('HSET', KEYS[1], 'p' .. number, ARGV[4], 'd' .. number, fingerprint)
  redis.call('ZADD', KEYS[2], 'NX', now + ARGV[6], KEYS[1])
elseif ended then
  redis.call('HSET', KEYS[1], 'r' .. number, now)
  local resent, all = fields('r'), true
  for i = 1, total do all = all and resent[i] end
  if all then -- the whole message came again: nothing of it belongs to a new one
    for i = 1, total do redis.call('HDEL', KEYS[1], 'r' .. i) end
  end
end

local parts = fields('p')
for i = 1, total do
  if not parts[i] then return {} end
end
if not ended and redis.call('HSETNX', KEYS[1], 'whole', 1) == 1 then
  redis.call('ZADD', KEYS[2], now + ARGV[7], KEYS[1])
end
return parts
