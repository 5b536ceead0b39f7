-- With words.lua.
-- Accepts texts of one firm: re-delivery, limits, claims, consent and the outbox, all or nothing.
--
-- KEYS  1 gate  2 campaigns  3 voided  4 outbox  5 order of changes of consent
--       then for each text: limits, seen, consent; then for each of its codes: bits, claim
-- ARGV  1 deployment id  2 messages a minute  3 wrong codes an hour  4 wrong codes a day
--       5 replies an hour  6 hints a day  7 seconds that an answerless text is remembered
--       8 seconds that an unsent answer is remembered  9 seconds that limits live  10 ms in which a yes answers
--       11 ms by which clocks of two machines may differ
--       then for each text: number of codes, wrong codes, mode, consent word, claim value, body;
--       then for each of its codes: campaign, print batch, offset of the bit
--       mode: T codes, good or wrong, of whatever firm, S service asked, U nothing understood; behind it:
--       f limits were checked elsewhere, m nothing to say but a limit, n no link to answer by,
--       h a how-to may be said once more: any text must be heard that follows,
--       c nothing to say unless a code is claimed: nobody has proved the number
--       y nothing to say to a yes that answers nothing
--       consent word: out, in, empty, yes, which is an in to whom this firm has asked and else not understood,
--       or out:<ms>, a no of then that is heard only now: a yes that was surely said since then stands
--       An in gives back what an out took; where that was nothing, and no texts are allowed, it allows texts alone.
-- Returns for each text: X closed | D<verdict before> re-delivered | L limited, told | Q limited, silent
--       | S nothing to store, silent | O over a limit: a STOP or START was heard, and nothing else
--       | A accepted, then one letter a code:
--       C claimed, R repeat, P paused, N not started, E ended, V voided
--       L, O and A are small letters where no answer goes out: whoever else tells of it must not promise one
local now_parts = redis.call('TIME')
local now = tonumber(now_parts[1])
local now_ms = now * 1000 + math.floor(tonumber(now_parts[2]) / 1000)
local minute_max, hour_max, day_max = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local replies_max, hints_max = tonumber(ARGV[5]), tonumber(ARGV[6])
local answers = {}
local open = redis.call('GET', KEYS[1]) == ARGV[1]
local any_voided = redis.call('EXISTS', KEYS[3]) == 1
local campaign_cache, chunks = {}, {}
-- A shopper's counters: starts and counts of the windows minute, hour, day; told until; replies; hints.
local LIMITS = '>I4I2I4I2I4I2I4I4I2I4I2'

local function campaign_state(id)
  local state = campaign_cache[id]
  if state == nil then
    local raw = redis.call('HGET', KEYS[2], id)
    if not raw then return nil end
    local name, starts, ends, version = string.match(raw, '^(%a+)|(%d+)|(%d+)|(%d+)$')
    if now_ms < tonumber(starts) then state = 'N'
    elseif name == 'ended' or now_ms >= tonumber(ends) then state = 'E'
    elseif name == 'paused' then state = 'P'
    else state = version end
    campaign_cache[id] = state
  end
  return state
end

-- A window that starts with its first event; returns the count that stands and when it started.
local function window(start, count, length)
  if now - start >= length then return now, 0 end
  return start, count
end

-- What a part becomes by a no: it remembers whether it took a yes with it.
local function refused(part, at)
  local _, _, took = said(part)
  return later(part, 'out:' .. at .. (took and '+' or ''))
end

-- What stands once a word is heard: its moment, the parts, the channels of which it speaks, and those that are
-- allowed then; and whether a later yes stands beside it, so that it is not confirmed. `answers`: it is a yes to our
-- question, which names all channels. It speaks of none where the no of the same moment counts, or a yes that came
-- after a no of then.
local function heard(word, stands, answers)
  local sms, call = parts(stands)
  local was_sms, was_call = said(sms), said(call)
  local at = moment(KEYS[5], now_ms, { sms, call }, true)
  local new_sms, new_call, overtaken = sms, call, false
  if word == 'in' then
    local _, _, sms_taken = said(sms)
    local _, _, call_taken = said(call)
    local back_sms = answers or (was_sms == 'out' and sms_taken)
    local back_call = answers or (was_call == 'out' and call_taken)
    if not back_sms and not back_call then back_sms = true end
    if back_sms then new_sms = later(sms, 'in:' .. at) end
    if back_call then new_call = later(call, 'in:' .. at) end
  else
    local then_ms = tonumber(string.match(word, '^out:(%d+)$'))
    local function since(part)
      local stood, when = said(part)
      return then_ms and stood == 'in' and when > then_ms + tonumber(ARGV[11])
    end
    overtaken = since(sms) or since(call)
    if not since(sms) then new_sms = refused(sms, at) end
    if not since(call) then new_call = refused(call, at) end
  end
  local speaks = (new_sms ~= sms and 's' or '') .. (new_call ~= call and 'c' or '')
  local allows = (said(new_sms) == 'in' and 's' or '') .. (said(new_call) == 'in' and 'c' or '')
  return at, new_sms, new_call, speaks, allows, overtaken
end

-- Whether a word says what all that it could speak of says already.
local function again(word, stands)
  local sms, call = parts(stands)
  if word == 'out' then return said(sms) == 'out' and said(call) == 'out' end
  local _, _, call_taken = said(call)
  return said(sms) == 'in' and (said(call) ~= 'out' or not call_taken)
end

local function accept(k, a)
  local limits_key, seen_key, consent_key = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  local codes, wrong = tonumber(ARGV[a]), tonumber(ARGV[a + 1])
  local mode, word, claim_value, body = ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
  local stands = word ~= '' and redis.call('GET', consent_key) or false
  local speaks_of_it, was_yes, unasked, mute = word ~= '', word == 'yes', false, false
  local at, sms, call, speaks, allows
  if was_yes then
    local asked = stands and string.match(stands, '^ask:(%d+)$')
    word = asked and now_ms - tonumber(asked) <= tonumber(ARGV[10]) and 'in' or ''
    unasked = word == ''
  end
  if word ~= '' then
    at, sms, call, speaks, allows, mute = heard(word, stands, was_yes)
    word = string.sub(word, 1, 2) == 'in' and 'in' or 'out'
    if speaks == '' then word, unasked, mute = '', true, true end
  end
  if unasked and codes == 0 then mode = 'U' .. string.sub(mode, 2) end
  local changed = word ~= '' and not again(word, stands)
  local ms, mc, hs, hc, ds, dc, told, rs, rc, ns, nc = 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  local packed = redis.call('GET', limits_key)
  if packed then ms, mc, hs, hc, ds, dc, told, rs, rc, ns, nc = struct.unpack(LIMITS, packed) end
  local before = redis.call('GET', seen_key)
  -- What was limited may be said again once the wait is over. And a STOP is never taken for a re-delivered
  -- one while consent stands otherwise: STOP, START, STOP is a STOP.
  local waited = before and told <= now and (before == 'L' or before == 'l' or before == 'Q')
  if before and not waited and not (word == 'out' and changed) then return 'D' .. before end
  for i = 0, codes - 1 do
    if not campaign_state(ARGV[a + 6 + 3 * i]) then return 'X' end
  end

  ms, mc = window(ms, mc, 60)
  hs, hc = window(hs, hc, 3600)
  ds, dc = window(ds, dc, 86400)
  rs, rc = window(rs, rc, 3600)
  ns, nc = window(ns, nc, 86400)
  if string.find(mode, 'h', 2, true) then nc = 0 end
  local limited_until = 0
  if not string.find(mode, 'f', 2, true) then
    mc = mc + 1
    if mc > minute_max then limited_until = ms + 60 end
    -- A text with more wrong codes than the budget still holds spends the budget and learns nothing.
    if string.sub(mode, 1, 1) == 'T' then
      if hc >= hour_max or hc + wrong > hour_max then hc = math.max(hc, hour_max); limited_until = math.max(limited_until, hs + 3600) end
      if dc >= day_max or dc + wrong > day_max then dc = math.max(dc, day_max); limited_until = math.max(limited_until, ds + 86400) end
    end
  end

  local verdict, result = 'A', ''
  if limited_until > 0 and word == '' then
    verdict = told > now and 'Q' or 'L'
    told = math.max(told, limited_until)
  else
    -- A STOP is heard over any limit. Nothing is said of the codes beside it: it would be a way to guess.
    if limited_until > 0 then verdict, codes, wrong = 'O', 0, 0 end
    for i = 0, codes - 1 do
      local at = a + 6 + 3 * i
      local state = campaign_state(ARGV[at])
      if any_voided and redis.call('SISMEMBER', KEYS[3], ARGV[at + 1]) == 1 then
        state = 'V'
        wrong = wrong + 1
      elseif tonumber(state) then
        local bits_key, claim_key = KEYS[k + 3 + 2 * i], KEYS[k + 4 + 2 * i]
        local offset = tonumber(ARGV[at + 2])
        -- A chunk is made at its full size: grown bit by bit it would take nearly twice the memory.
        if not chunks[bits_key] then
          chunks[bits_key] = true
          if redis.call('EXISTS', bits_key) == 0 then redis.call('SETBIT', bits_key, 65535, 0) end
        end
        if redis.call('SETBIT', bits_key, offset, 1) == 0 then
          redis.call('SET', claim_key, claim_value)
          state = 'C' .. state
        else
          state = 'R'
        end
      end
      result = result .. (i > 0 and ',' or '') .. state
    end
    hc, dc = hc + wrong, dc + wrong
  end

  -- Who is answered: anything within the replies and hints allowed; a changed consent twice as often, so that
  -- a STOP is confirmed to whoever has had all replies, and a robot that alternates is not answered for ever.
  local quiet = verdict == 'Q' or mute or (unasked and string.find(mode, 'y', 2, true) ~= nil)
    or string.find(mode, 'n', 2, true) ~= nil
    or (verdict ~= 'L' and string.find(mode, 'm', 2, true) ~= nil)
    or (string.find(mode, 'c', 2, true) ~= nil and not string.find(result, 'C', 1, true))
  if word ~= '' then redis.call('SET', consent_key, joined(sms, call)) end
  if not quiet then
    if rc >= (changed and 2 * replies_max or replies_max) then quiet = true end
    if string.sub(mode, 1, 1) == 'U' and verdict == 'A' then
      if nc >= hints_max then quiet = true elseif not quiet then nc = nc + 1 end
    end
  end
  if not quiet then rc = rc + 1 end
  redis.call('SET', limits_key, struct.pack(LIMITS, ms, math.min(mc, 65535), hs, math.min(hc, 65535), ds,
    math.min(dc, 65535), told, rs, math.min(rc, 65535), ns, math.min(nc, 65535)), 'EX', ARGV[9])

  local limited = verdict == 'L' or verdict == 'O'
  local stored = limited or (verdict == 'A' and (string.sub(mode, 1, 1) ~= 'U' or not quiet))
  if stored then
    local until_s, silent = limited and limited_until or 0, quiet and 1 or 0
    local fields = { 'b', body, 'r', result, 'l', until_s, 'q', silent, 'w', wrong }
    if speaks_of_it then -- what it came to is known here alone
      local came_to = word == '' and { 'c', '' } or { 'c', word, 'o', at, 'g', speaks, 'h', allows }
      for _, field in ipairs(came_to) do fields[#fields + 1] = field end
    end
    redis.call('XADD', KEYS[4], '*', unpack(fields))
  elseif verdict == 'A' then
    verdict = 'S'
  end
  if stored and quiet then verdict = string.lower(verdict) end
  redis.call('SET', seen_key, string.sub(verdict, 1, 1) .. result, 'EX', (stored and not quiet) and ARGV[8] or ARGV[7])
  return verdict .. result
end

local k, a = 6, 12
while a <= #ARGV do
  local codes = tonumber(ARGV[a])
  answers[#answers + 1] = open and accept(k, a) or 'X'
  k = k + 3 + 2 * codes
  a = a + 6 + 3 * codes
end
return answers
