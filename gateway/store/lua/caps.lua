-- Charges contacts to persons, by this server's clock, where both caps allow it. A contact that is charged already
-- is not charged again, so the call may be repeated.
--
-- KEYS  contacts of each person: rows of seconds (4 octets) and a tag (8 octets), ascending
-- ARGV  1 seconds to add to the clock (tests and drills)  2 seconds of a day  3 of a week
--       then for each person: most a day, most a week, tag of the contact
-- Returns for each 0 when it is charged, else the second at which one more is allowed, negative where the cap of
--         the week holds
local ROW = 12
local now = tonumber(redis.call('TIME')[1]) + tonumber(ARGV[1])
local day, week = tonumber(ARGV[2]), tonumber(ARGV[3])
local out = {}

-- When so few of the times are in the window that one more is allowed.
local function free(times, most, window)
  local counted = 0
  for i = #times, 1, -1 do
    if times[i] + window > now then counted = counted + 1 end
    if counted == most then return times[i] + window end
  end
  return 0
end

for i, key in ipairs(KEYS) do
  local at = 1 + 3 * i
  local per_day, per_week, tag = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2]
  local rows, kept, times, charged = redis.call('GET', key) or '', {}, {}, false
  for start = 1, #rows, ROW do
    local row = string.sub(rows, start, start + ROW - 1)
    local second = struct.unpack('>I4', row)
    if second + week > now then
      kept[#kept + 1], times[#times + 1] = row, second
      charged = charged or string.sub(row, 5) == tag
    end
  end
  local by_day, by_week = free(times, per_day, day), free(times, per_week, week)
  local at_second = math.max(by_day, by_week)
  out[i] = charged and 0 or (by_week > 0 and -at_second or at_second)
  if out[i] == 0 and not charged then
    kept[#kept + 1] = struct.pack('>I4', now) .. tag
    redis.call('SET', key, table.concat(kept), 'EX', week)
  end
end
return out
