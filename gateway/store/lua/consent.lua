-- With words.lua.
-- Puts words on consent in their place. A no that is said now counts over whatever stands; what carries its own
-- moment only where nothing later stands.
--
-- KEYS  1 gate  2 order of changes; then words of consent
-- ARGV  1 deployment id, or empty: this Redis was not held against SQL
--       then for each: out or in, when it was said (ms; 0, of a no: now), channels: all, sms or call
-- Returns the moment of now (ms) and how many changes there were, 0 where the firm is closed; then for each the word
--         that stands
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local open = redis.call('GET', KEYS[1]) == ARGV[1]

local stood = {}
for i = 3, #KEYS do
  local sms, call = parts(redis.call('GET', KEYS[i]))
  stood[#stood + 1], stood[#stood + 2] = sms, call
end
local now, count = moment(KEYS[2], now_ms, stood, open)

local out = { now, open and count or 0 }
for i = 3, #KEYS do
  local a = 2 + 3 * (i - 3)
  local word, at, channels = ARGV[a], tonumber(ARGV[a + 1]), ARGV[a + 2]
  local part = word .. ':' .. (at > 0 and at or now)
  local sms, call = parts(redis.call('GET', KEYS[i]))
  if channels ~= 'call' then sms = later(sms, part) end
  if channels ~= 'sms' then call = later(call, part) end
  out[i] = joined(sms, call)
  redis.call('SET', KEYS[i], out[i])
end
return out
