-- What stands at the moment of sending, for questions about one firm. Changes nothing.
--
-- KEYS  1 gate  then for each question: blast, consent
-- ARGV  1 deployment id
-- Returns this server's time in ms since 1970, then for each question the blast's state and the word of consent,
--         empty where there is none; the time alone where this firm's keys are not whole here
local time = redis.call('TIME')
local out = { tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) }
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return out end
for i = 2, #KEYS do out[i] = redis.call('GET', KEYS[i]) or '' end
return out
