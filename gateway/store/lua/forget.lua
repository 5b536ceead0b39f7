-- Forgets what is kept of a shopper at a firm. A refusal stays: it is all that is kept of whoever was erased.
--
-- KEYS  1 limits  2 word of consent
-- ARGV  1 the word of refusal that must stand, as gateway.domain.consent has it, or empty
-- Returns 1 if a refusal stands now
local function parts(word)
  if not word or string.sub(word, 1, 4) == 'ask:' then return '', '' end
  local sms, call = string.match(word, '^(.-)|(.*)$')
  if sms then return sms, call end
  return word, word
end

local function at(word) return tonumber(string.match(word, ':(%d+)$')) or 0 end

-- A refusal that stands stays; the one that was kept gives way to a later yes alone, and a yes is nothing.
local function refusal(stands, kept)
  if string.sub(stands, 1, 4) == 'out:' then return stands end
  return at(stands) <= at(kept) and kept or ''
end

redis.call('DEL', KEYS[1])
local sms, call = parts(redis.call('GET', KEYS[2]))
local kept_sms, kept_call = parts(ARGV[1])
sms, call = refusal(sms, kept_sms), refusal(call, kept_call)
if sms == '' and call == '' then
  redis.call('DEL', KEYS[2])
  return 0
end
redis.call('SET', KEYS[2], sms == call and sms or sms .. '|' .. call)
return 1
