-- Takes texts from a firm's sending queues, the first queue first, and notes the intent to submit each, on disk
-- before it leaves.
--
-- KEYS  1 gate  2 intents; then the queues, most urgent first
-- ARGV  1 deployment id  2 most entries  3 who takes; then for each queue its priority (1 the most urgent) and the
--       last id taken before (exclusive; - for the beginning)
-- Returns nothing (false) where this firm's keys are not whole here; else for each text: its priority, id, times it
--         was begun (this one included), then its fields.
-- An intent is a number, with a blank and who noted it behind: a call that is repeated notes none twice.
-- Intents of the first priority stand under the id, those of the others under number, colon and id.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local out = {}
local left = tonumber(ARGV[2])
for q = 3, #KEYS do
  if left <= 0 then break end
  local priority, after = tonumber(ARGV[2 * q - 2]), ARGV[2 * q - 1]
  local from = after == '-' and '-' or '(' .. after
  for _, entry in ipairs(redis.call('XRANGE', KEYS[q], from, '+', 'COUNT', left)) do
    local name = priority == 1 and entry[1] or priority .. ':' .. entry[1]
    local begun, by = string.match(redis.call('HGET', KEYS[2], name) or '0', '^(%d+) ?(.*)$')
    if by ~= ARGV[3] then
      begun = (begun or 0) + 1
      redis.call('HSET', KEYS[2], name, begun .. ' ' .. ARGV[3])
    end
    out[#out + 1] = { priority, entry[1], tonumber(begun), entry[2] }
    left = left - 1
  end
end
return out
