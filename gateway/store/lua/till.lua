-- Counts what a till asks of aliases. A miss is known only when SQL has answered, so what is not answered yet is
-- held against the budget like a miss: a thousand guesses at the same moment are no way around it.
--
-- KEYS  1 hash of the till
-- ARGV  1 deed: ask (before anything is looked up), done or miss (before the till is told), lift (misses are forgotten)
--       2 lookups a minute  3 misses an hour  4 misses a day  5 seconds that the hash lives
-- Returns a word, the seconds to wait, and 1 if the till was stopped just now:
--       go | minute, too many lookups | busy, the rest of the budget is being looked up | stopped, too many misses
-- Fields: starts and counts of the windows minute (ms, mn), hour (hs, hn), day (ds, dn); o lookups that are not
--       answered yet; last asked; since when stopped
local now = tonumber(redis.call('TIME')[1])
local deed = ARGV[1]
local minute_max, hour_max, day_max = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'ms', 'mn', 'hs', 'hn', 'ds', 'dn', 'o', 'since')
for i = 1, 8 do held[i] = tonumber(held[i] or 0) end
local ms, mn, hs, hn, ds, dn, open, since = unpack(held)

-- A window starts with its first event.
local function window(start, count, length)
  if now - start >= length then return now, 0 end
  return start, count
end

if now - ms >= 60 then open = 0 end -- of a process that died before its answer
ms, mn = window(ms, mn, 60)
hs, hn = window(hs, hn, 3600)
ds, dn = window(ds, dn, 86400)

local word, wait = 'go', 0
if deed == 'lift' then
  hn, dn, open = 0, 0, 0
elseif deed ~= 'ask' then
  open = math.max(0, open - 1)
  if deed == 'miss' then hn, dn = hn + 1, dn + 1 end
end
if hn >= hour_max or dn >= day_max then
  word = 'stopped'
  if hn >= hour_max then wait = hs + 3600 - now end
  if dn >= day_max then wait = math.max(wait, ds + 86400 - now) end
elseif deed == 'ask' then
  if mn >= minute_max then
    word, wait = 'minute', ms + 60 - now
  elseif hn + open >= hour_max or dn + open >= day_max then
    word, wait = 'busy', 1
  else
    mn, open = mn + 1, open + 1
  end
end
local newly = 0
if word ~= 'stopped' then
  since = 0
elseif since == 0 then
  since, newly = now, 1
end
redis.call('HSET', KEYS[1], 'ms', ms, 'mn', mn, 'hs', hs, 'hn', hn, 'ds', ds, 'dn', dn, 'o', open, 'last', now,
  'since', since)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return { word, wait, newly }
