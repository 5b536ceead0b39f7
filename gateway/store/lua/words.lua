-- What the functions that change consent share; `gateway.store.codes.claims.script` puts it before theirs.
--
-- A word is as gateway.domain.consent.word has it. The order of words is this store's own: a change that is made now is
-- later than every one before it, whatever the clock says. Within one millisecond of the clock all changes are of
-- one moment, and of one moment the no counts, whichever came first.

-- The parts of a word: of texts, and of calls; empty where nothing was said.
local function parts(word)
  if not word or word == '' or string.sub(word, 1, 4) == 'ask:' then return '', '' end
  local sms, call = string.match(word, '^(.-)|(.*)$')
  if sms then return sms, call end
  return word, word
end

local function joined(sms, call) return sms == call and sms or sms .. '|' .. call end

-- Of a part: out, in or nil; when; whether a STOP took a yes with it, so that a START gives it back.
local function said(part)
  local word, at, took = string.match(part, '^(%a+):(%d+)(%+?)$')
  return word, tonumber(at) or 0, took == '+' or (word == 'in')
end

-- Of two parts the one that counts.
local function later(stands, other)
  local word, at = said(stands)
  local other_word, other_at = said(other)
  if not other_word then return stands end
  if word and (at > other_at or (at == other_at and word == 'out')) then return stands end
  return other
end

-- The moment of a change that is made now, and how many changes there were. `order`: the key that holds the last
-- moment, the clock's millisecond then, and the count; `stands`: parts that it must not come before. What changes
-- while the firm is closed is not counted.
local function moment(order, now_ms, stands, open)
  local at, clock, count = string.match(redis.call('GET', order) or '0 0 0', '^(%d+) (%d+) (%d+)$')
  local step = tonumber(clock) == now_ms and 0 or 1
  at = math.max(now_ms, tonumber(at) + step)
  for _, part in ipairs(stands) do
    local word, before = said(part)
    if word then at = math.max(at, before + step) end
  end
  count = tonumber(count) + (open and 1 or 0)
  redis.call('SET', order, at .. ' ' .. now_ms .. ' ' .. count)
  return at, count
end
