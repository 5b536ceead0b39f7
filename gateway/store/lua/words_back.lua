-- With words.lua.
-- Puts words back that SQL knows, each beside what stands: of each channel the later one counts, of the same moment
-- the no. So a no that is said meanwhile, or that SQL has lost, is not overwritten.
--
-- KEYS  words of consent
-- ARGV  a word for each, as gateway.domain.consent.word has it; `ask:<ms>` is put only where nothing stands
for i, key in ipairs(KEYS) do
  local stands = redis.call('GET', key)
  if string.sub(ARGV[i], 1, 4) == 'ask:' then
    if not stands then redis.call('SET', key, ARGV[i]) end
  else
    local sms, call = parts(stands)
    local other_sms, other_call = parts(ARGV[i])
    redis.call('SET', key, joined(later(sms, other_sms), later(call, other_call)))
  end
end
return #KEYS
