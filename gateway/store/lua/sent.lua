-- Files what became of texts: the queue's entry and its intent end, the outcome goes to the results.
-- An entry that is gone already is passed over, so the call may be repeated.
--
-- KEYS  1 intents  2 results  3 to 5 queues in order of priority; then for each: seen
-- ARGV  1 re-delivery window in seconds; then for each: number of its queue, id, name of its intent, result
-- Returns how many ended now.
local results = {}
for i = 2, #ARGV, 4 do
  local seen_key = KEYS[5 + (i + 2) / 4]
  redis.call('HDEL', KEYS[1], ARGV[i + 2])
  if redis.call('XDEL', KEYS[2 + ARGV[i]], ARGV[i + 1]) == 1 then
    redis.call('EXPIRE', seen_key, ARGV[1])
    if ARGV[i + 3] ~= '' then results[#results + 1] = ARGV[i + 3] end
  end
end
if #results > 0 then redis.call('XADD', KEYS[2], '*', 'j', table.concat(results, '\n')) end
return #results
