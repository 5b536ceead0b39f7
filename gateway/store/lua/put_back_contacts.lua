-- Puts contacts back that SQL knows of, beside those that stand, so it may be repeated and lose nothing.
--
-- KEYS  contacts of each person, as in caps.lua
-- ARGV  1 seconds to add to the clock (tests and drills)  2 seconds of a week
--       then for each person: rows to put back
-- Returns how many were put back: those younger than a week that did not stand
local ROW = 12
local now = tonumber(redis.call('TIME')[1]) + tonumber(ARGV[1])
local week = tonumber(ARGV[2])
local put = 0

for i, key in ipairs(KEYS) do
  local stood = redis.call('GET', key) or ''
  local rows, tags = {}, {}
  local all = stood .. ARGV[2 + i]
  for start = 1, #all, ROW do
    local row = string.sub(all, start, start + ROW - 1)
    local tag = string.sub(row, 5)
    if struct.unpack('>I4', row) + week > now and not tags[tag] then
      rows[#rows + 1], tags[tag] = row, true
      if start > #stood then put = put + 1 end
    end
  end
  if #rows > 0 then
    table.sort(rows, function(a, b) return struct.unpack('>I4', a) < struct.unpack('>I4', b) end)
    redis.call('SET', key, table.concat(rows), 'EX', week)
  end
end
return put
