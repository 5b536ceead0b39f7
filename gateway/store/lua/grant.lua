-- Grants segments of an account's share a second, over all processes, by this server's clock (the generic cell
-- rate algorithm: the key holds the time at which all that was granted is earned).
--
-- KEYS  1 pace
-- ARGV  1 segments a second  2 most at once after a rest  3 wanted
-- Returns how many are granted, and if none, the microseconds until one may be
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local each = 1000000 / tonumber(ARGV[1])
local rest = each * tonumber(ARGV[2])
local earned = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
-- A clock that was set back must not stop the link for as long.
if earned > now + rest then earned = now + rest end
local granted = math.min(tonumber(ARGV[3]), math.floor((now + rest - earned) / each + 0.000001))
if granted < 1 then return { 0, math.ceil(earned + each - rest - now) } end
earned = earned + granted * each
redis.call('SET', KEYS[1], string.format('%.0f', earned), 'PX', math.ceil(rest / 1000) + 1000)
return { granted, 0 }
