-- Moves texts from the queues of one link to those of another, with the intents that stand for them, so that a
-- doubt goes along. Nobody may take from the first link meanwhile: its holder does this.
--
-- KEYS  1 intents from  2 intents to; then for each priority the queue from and the queue to
-- ARGV  1 most texts
-- Returns how many
local moved, left = 0, tonumber(ARGV[1])
for place = 1, (#KEYS - 2) / 2 do
  local from, to = KEYS[1 + 2 * place], KEYS[2 + 2 * place]
  if left <= 0 then break end
  for _, entry in ipairs(redis.call('XRANGE', from, '-', '+', 'COUNT', left)) do
    local was = place == 1 and entry[1] or place .. ':' .. entry[1]
    local begun = redis.call('HGET', KEYS[1], was)
    begun = begun and string.match(begun, '^%d+') -- who noted it takes no more
    local id = redis.call('XADD', to, '*', unpack(entry[2]))
    if begun then
      redis.call('HDEL', KEYS[1], was)
      if tonumber(begun) > 0 then
        redis.call('HSET', KEYS[2], place == 1 and id or place .. ':' .. id, begun)
      end
    end
    redis.call('XDEL', from, entry[1])
    moved, left = moved + 1, left - 1
  end
end
return moved
