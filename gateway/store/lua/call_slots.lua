-- Gives slots for offer calls, by this server's clock. A call that holds its slot already only gets another moment.
--
-- KEYS  1 live calls of all  2 pace of all  then for each call: person, live calls of its blast, pace of its blast
-- ARGV  1 channels of all  2 calls a second of all  3 most microseconds from now until a call begins
--       then for each call: its id, milliseconds until its deadline, channels of its blast, calls a second of it
-- Returns for each call whether it has a slot ('slot'), or why it has none ('person': another call of theirs lives,
--         'channels', 'pace'), and the microseconds until it may begin, or until it may be asked for again
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now_ms = math.floor(now / 1000)
local ahead = tonumber(ARGV[3])
local SECOND = 1050000 -- microseconds; longer by as much as one call may leave late and the next one not
local out = {}

local function full(live, most)
  redis.call('ZREMRANGEBYSCORE', live, '-inf', now_ms)
  return redis.call('ZCARD', live) >= tonumber(most)
end

local function lives(live, id, ms)
  redis.call('ZADD', live, now_ms + ms, id)
  if redis.call('PTTL', live) < ms then redis.call('PEXPIRE', live, ms) end
end

-- When the next may begin (the generic cell rate algorithm, without a burst).
local function free(pace, rate)
  local at = tonumber(redis.call('GET', pace) or 0)
  -- A clock that was set back must not stop calls for as long.
  return math.max(now, math.min(at, now + ahead + SECOND / tonumber(rate)))
end

local function passes(pace, rate, at)
  local each = SECOND / tonumber(rate)
  redis.call('SET', pace, string.format('%.0f', at + each), 'PX', math.ceil((at - now + each) / 1000) + 1000)
end

for i = 1, (#KEYS - 2) / 3 do
  local person, live, pace = KEYS[3 * i], KEYS[3 * i + 1], KEYS[3 * i + 2]
  local id, ms, channels, rate = unpack(ARGV, 4 * i, 4 * i + 3)
  ms = tonumber(ms)
  local holder = redis.call('GET', person)
  local at = math.max(free(KEYS[2], ARGV[2]), free(pace, rate))
  if holder and holder ~= id then
    out[i] = { 'person', 0 }
  elseif not holder and (full(KEYS[1], ARGV[1]) or full(live, channels)) then
    out[i] = { 'channels', 0 }
  elseif at - now > ahead then
    out[i] = { 'pace', math.ceil(at - now - ahead) }
  else
    redis.call('SET', person, id, 'PX', ms)
    lives(KEYS[1], id, ms)
    lives(live, id, ms)
    passes(KEYS[2], ARGV[2], at)
    passes(pace, rate, at)
    out[i] = { 'slot', math.floor(at - now) }
  end
end
return out
