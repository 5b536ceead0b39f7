-- Puts dead letters back into the outbox, each once, with the time at which it was accepted.
--
-- KEYS  1 dead  2 outbox
-- ARGV  ids
-- Returns how many
local count = 0
for _, id in ipairs(ARGV) do
  local found = redis.call('XRANGE', KEYS[1], id, id)[1]
  if found then
    local fields = {}
    for i = 1, #found[2], 2 do
      if found[2][i] ~= 'why' then
        fields[#fields + 1] = found[2][i]
        fields[#fields + 1] = found[2][i + 1]
      end
    end
    redis.call('XADD', KEYS[2], '*', unpack(fields))
    redis.call('XDEL', KEYS[1], id)
    count = count + 1
  end
end
return count
