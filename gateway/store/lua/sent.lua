-- Files what became of answers: the queue's entry and its intent end, the outcome goes to the results.
-- An entry that is gone already is passed over, so the call may be repeated.
--
-- KEYS  1 send  2 intents  3 results; then for each: seen
-- ARGV  1 re-delivery window in seconds; then for each: id, result (one line)
-- Returns how many ended now.
local results = {}
for i = 2, #ARGV, 2 do
  local seen_key = KEYS[3 + i / 2]
  redis.call('HDEL', KEYS[2], ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    redis.call('EXPIRE', seen_key, ARGV[1])
    results[#results + 1] = ARGV[i + 1]
  end
end
if #results > 0 then redis.call('XADD', KEYS[3], '*', 'j', table.concat(results, '\n')) end
return #results
