-- Puts words on consent in their place, each unless a later one stands; of the same moment the no counts.
--
-- KEYS  words of consent, as gateway.domain.consent has them
-- ARGV  for each: out or in, when it was said (ms), channels: all, sms or call
-- Returns the words that stand now
local function parts(word)
  if not word or string.sub(word, 1, 4) == 'ask:' then return '', '' end
  local sms, call = string.match(word, '^(.-)|(.*)$')
  if sms then return sms, call end
  return word, word
end

local function later(stands, word, at)
  local _, before = string.match(stands, '^(%a+):(%d+)$')
  if before and (tonumber(before) > tonumber(at) or (before == at and word == 'in')) then return stands end
  return word .. ':' .. at
end

local out = {}
for i, key in ipairs(KEYS) do
  local word, at, channels = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local sms, call = parts(redis.call('GET', key))
  if channels ~= 'call' then sms = later(sms, word, at) end
  if channels ~= 'sms' then call = later(call, word, at) end
  out[i] = sms == call and sms or sms .. '|' .. call
  redis.call('SET', key, out[i])
end
return out
