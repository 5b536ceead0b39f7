-- With words.lua.
-- Forgets what is kept of a shopper at a firm. A refusal stays: it is all that is kept of whoever was erased.
--
-- KEYS  1 limits  2 word of consent
-- ARGV  1 the word of refusal that must stand, as gateway.domain.consent.word has it, or empty
-- Returns 1 if a refusal stands now
-- A refusal that stands stays, but what it took with it is forgotten; the one that was kept gives way to a later yes
-- alone, and a yes is nothing.
local function refusal(stands, kept)
  local word, at = said(stands)
  if word == 'out' then return word .. ':' .. at end
  local _, kept_at = said(kept)
  return at <= kept_at and kept or ''
end

redis.call('DEL', KEYS[1])
local sms, call = parts(redis.call('GET', KEYS[2]))
local kept_sms, kept_call = parts(ARGV[1])
sms, call = refusal(sms, kept_sms), refusal(call, kept_call)
if sms == '' and call == '' then
  redis.call('DEL', KEYS[2])
  return 0
end
redis.call('SET', KEYS[2], joined(sms, call))
return 1
