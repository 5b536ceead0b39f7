-- Lets the order of a firm's changes of consent go on behind what SQL knows of it.
--
-- KEYS  1 order, as words.lua has it
-- ARGV  1 the last moment that SQL knows (ms)  2 how many changes it knows of
local at, clock, count = string.match(redis.call('GET', KEYS[1]) or '0 0 0', '^(%d+) (%d+) (%d+)$')
at, count = math.max(tonumber(at), tonumber(ARGV[1])), math.max(tonumber(count), tonumber(ARGV[2]))
return redis.call('SET', KEYS[1], at .. ' ' .. clock .. ' ' .. count)
