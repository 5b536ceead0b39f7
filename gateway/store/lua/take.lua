-- Takes texts from a firm's sending queues, the first queue first, and notes the intent to submit each, on disk
-- before it leaves.
--
-- KEYS  1 intents; then the queues in order of priority
-- ARGV  1 most entries  2 who takes; then for each queue the last id taken before (exclusive; - for the beginning)
-- Returns for each: number of its queue, id, times it was begun (this one included), then its fields.
-- An intent is a number, with a blank and who noted it behind: a call that is repeated notes none twice.
-- Intents of the first queue stand under the id, those of the others under number, colon and id.
local out = {}
local left = tonumber(ARGV[1])
for q = 1, #KEYS - 1 do
  if left <= 0 then break end
  local after = ARGV[q + 2]
  local from = after == '-' and '-' or '(' .. after
  for _, entry in ipairs(redis.call('XRANGE', KEYS[q + 1], from, '+', 'COUNT', left)) do
    local name = q == 1 and entry[1] or q .. ':' .. entry[1]
    local begun, by = string.match(redis.call('HGET', KEYS[1], name) or '0', '^(%d+) ?(.*)$')
    if by ~= ARGV[2] then
      begun = (begun or 0) + 1
      redis.call('HSET', KEYS[1], name, begun .. ' ' .. ARGV[2])
    end
    out[#out + 1] = { q, entry[1], tonumber(begun), entry[2] }
    left = left - 1
  end
end
return out
