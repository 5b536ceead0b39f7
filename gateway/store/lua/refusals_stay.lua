-- With words.lua.
-- Takes every yes and every question out of words on consent: what is true of these stands in SQL. A no stays.
--
-- KEYS  words of consent
-- ARGV  none
local function refusal(part) return said(part) == 'out' and part or '' end

for _, key in ipairs(KEYS) do
  local sms, call = parts(redis.call('GET', key))
  sms, call = refusal(sms), refusal(call)
  if sms == '' and call == '' then redis.call('DEL', key) else redis.call('SET', key, joined(sms, call)) end
end
return #KEYS
