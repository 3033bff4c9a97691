import { script } from '@portcullis/redis/script';

/**
 * Decides, settles and releases all that one tenant was asked in one turn, as one step: every draw of a question is asked
 * before any is taken. Same arithmetic as window.ts, event for event; `turn.ts` writes what it reads and reads what it
 * answers.
 *
 * A count is one string: a header, then of each slot the time of its last charge and the sum of all charges up to it. So a
 * charge appends one slot, what counts now is the difference of two sums, and what a refusal has to wait for is searched by
 * halves. Slots that have left stay until there are half as many as of those that count, then the string is written anew: at
 * most 512 slots count, and beyond that charges share the newest one, which makes them leave late, never early. A lease says
 * in a key of its own what it reserved and where.
 *
 * Only KEYS that the caller can know are declared; a settlement also touches the counts that its lease names. They have
 * the same hash tag, hence the same slot.
 */
export const DECIDE = script(
  'limits',
  `
local HEADER, SLOT, MOST, SPARED = 24, 16, 512, 8
local COUNTED, TOKENS, MICROS = 0, 1, 2
local call, pack, unpack_from, floor, ceil, max, min =
  redis.call, struct.pack, struct.unpack, math.floor, math.ceil, math.max, math.min

-- KEYS: so many counts, then leases. ARGV: the time in ms for tests that turn the clock, else ''; ms that a lease lives;
-- how many counts; the operations
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + floor(time[2] / 1000)
end
local lease_ms, named = tonumber(ARGV[2]), tonumber(ARGV[3])
local operations = cjson.decode(ARGV[4])
local answers, answered = { now }, 1

-- Each count is read once and written once, however many operations touch it.
local counts, touched, raws = {}, {}, {}
for from = 1, named, 1000 do
  local to = min(named, from + 999)
  local found = call('MGET', unpack(KEYS, from, to))
  for i = from, to do raws[KEYS[i]] = found[i - from + 1] end
end

local function touch(count)
  if not count.touched then
    count.touched = true
    touched[#touched + 1] = count
  end
end

-- The nth slot, from 1: the time of its last charge, the sum of all charges up to it.
local function slot(count, nth)
  local at = count.at[nth]
  if at then return at, count.sum[nth] end
  local sum
  at, sum = unpack_from('<dd', count.raw, HEADER + nth * SLOT - SLOT + 1)
  count.at[nth], count.sum[nth] = at, sum
  return at, sum
end

-- The first slot from which a test holds, by halves; it holds for the slot 'high'.
local function search(count, low, high, column, least)
  while low < high do
    local middle = floor((low + high) / 2)
    local at, sum = slot(count, middle)
    if (column == 1 and at or sum) >= least then high = middle else low = middle + 1 end
  end
  return low
end

-- What of the count still counts: the slots from first to last, and the sum before the first.
local function open(key, window)
  local count = counts[key]
  if count then return count end
  local raw = raws[key]
  if raw == nil then raw = call('GET', key) end
  local skew, kept, base, last = 0, 0, 0, 0
  if raw then
    skew, kept, base = unpack_from('<ddd', raw)
    last = (#raw - HEADER) / SLOT
  end
  count = {
    key = key, raw = raw, window = window, skew = skew, kept = kept, base = base, first = 1, last = last, used = 0,
    now = now + skew, at = {}, sum = {}, changed = false, rewrite = not raw, renewed = false, touched = false,
  }
  counts[key] = count
  if last == 0 then return count end
  local newest, sum = slot(count, last)
  if newest > count.now then
    -- A clock that was set back stands still for that step and goes on from there.
    count.skew, count.now, count.renewed = newest - now, newest, true
    touch(count)
  end
  local before = count.now - window
  if newest <= before then
    count.first, count.base = last + 1, sum
  else
    if slot(count, 1) <= before then
      count.first = search(count, 2, last, 1, before + 1)
      local _, gone = slot(count, count.first - 1)
      count.base = gone
    end
    count.used = sum - count.base
  end
  return count
end

-- Ms until the cost fits: 0 = it does, -1 = it never will.
local function wait(count, limit, cost)
  local excess = count.used + cost - limit
  if excess <= 0 then return 0 end
  if cost > limit then return -1 end
  local enough = search(count, count.first, count.last, 2, count.base + excess)
  return ceil(slot(count, enough) + count.window - count.now)
end

local function set(count, nth, at, sum)
  count.at[nth], count.sum[nth] = at, sum
  if not count.changed or nth < count.changed then count.changed = nth end
end

local function charge(count, at, slot_ms, cost)
  touch(count)
  count.used = count.used + cost
  local sum = count.base + count.used
  if count.last >= count.first then
    local newest = slot(count, count.last)
    if floor(newest / slot_ms) == floor(at / slot_ms) or count.last - count.first + 1 >= MOST then
      return set(count, count.last, max(at, newest), sum)
    end
  end
  count.last = count.last + 1
  set(count, count.last, at, sum)
end

-- What was reserved at that time was really so much more (or less). No slot is left below nothing.
local function correct(count, at, slot_ms, more)
  local index, first, nth = floor(at / slot_ms), count.first, count.last + 1
  while nth > first and floor(slot(count, nth - 1) / slot_ms) >= index do nth = nth - 1 end
  local before = count.base
  if nth > first then
    local _, sum = slot(count, nth - 1)
    before = sum
  end
  if nth <= count.last then
    local when, sum = slot(count, nth)
    if floor(when / slot_ms) == index then
      more = max(more, before - sum)
      if sum + more > before then
        set(count, nth, max(at, when), sum + more)
        for newer = nth + 1, count.last do
          local newer_at, newer_sum = slot(count, newer)
          set(count, newer, newer_at, newer_sum + more)
        end
      else
        for older = nth, count.last - 1 do
          local newer_at, newer_sum = slot(count, older + 1)
          set(count, older, newer_at, newer_sum + more)
        end
        count.last = count.last - 1
        count.rewrite = true
      end
      count.used = count.used + more
      return touch(count)
    end
  end
  if more < 0 or at + count.window <= count.now then return end
  if count.last - first + 1 >= MOST then return charge(count, count.now, slot_ms, more) end
  for newer = count.last, nth, -1 do
    local newer_at, newer_sum = slot(count, newer)
    set(count, newer + 1, newer_at, newer_sum + more)
  end
  count.last = count.last + 1
  set(count, nth, at, before + more)
  count.used = count.used + more
  touch(count)
end

local function slots(count, from)
  if from == count.last then return pack('<dd', slot(count, from)) end
  local parts = {}
  for nth = from, count.last do parts[nth - from + 1] = pack('<dd', slot(count, nth)) end
  return table.concat(parts)
end

local function save(count)
  local key, first, last, changed = count.key, count.first, count.last, count.changed
  if last < first then return call('DEL', key) end
  local ttl = 0
  if count.kept < count.now + count.window then
    ttl = ceil(count.window * 1.25)
    count.kept, count.renewed = count.now + ttl, true
  end
  if count.rewrite or first - 1 > max(SPARED, (last - first + 1) / 2) then
    local same = changed and min(last, changed - 1) or last
    local kept = same >= first and count.raw:sub(HEADER + first * SLOT - SLOT + 1, HEADER + same * SLOT) or ''
    local header = pack('<ddd', count.skew, count.kept, count.base)
    return call('SET', key, header .. kept .. slots(count, max(first, same + 1)), 'PX', ceil(count.kept - count.now))
  end
  if changed then call('SETRANGE', key, HEADER + changed * SLOT - SLOT, slots(count, changed)) end
  if count.renewed then call('SETRANGE', key, 0, pack('<dd', count.skew, count.kept)) end
  if ttl > 0 then call('PEXPIRE', key, ttl) end
end

-- lease (0 = none is wanted), then for each draw: key, limit, window, slot, cost, kind
local function decide(operation)
  local refused, last = false, #operation
  for i = 2, last, 6 do
    local limit, window, cost = operation[i + 1], operation[i + 2], operation[i + 4]
    local used, retry, reset = 0, 0, 0
    if cost > 0 then
      local count = open(KEYS[operation[i]], window)
      used, retry = count.used, wait(count, limit, cost)
      if used > 0 then reset = ceil(slot(count, count.last) + window - count.now) end
    end
    if retry ~= 0 then refused = true end
    answers[answered + 1], answers[answered + 2], answers[answered + 3] = max(0, limit - used), retry, reset
    answered = answered + 3
  end
  if refused then return end
  local lease = operation[1] > 0 and KEYS[named + operation[1]]
  local record, n = { now + lease_ms }, 1
  for i = 2, last, 6 do
    local key, window, slot_ms, cost, kind =
      KEYS[operation[i]], operation[i + 2], operation[i + 3], operation[i + 4], operation[i + 5]
    local at = now
    if cost > 0 then
      local count = open(key, window)
      at = count.now
      charge(count, at, slot_ms, cost)
    end
    if lease and kind ~= COUNTED then
      record[n + 1], record[n + 2], record[n + 3] = kind, key, at
      record[n + 4], record[n + 5], record[n + 6] = cost, window, slot_ms
      n = n + 6
    end
  end
  if lease then call('SET', lease, cmsgpack.pack(record), 'PX', lease_ms) end
end

-- minus the lease, LLM tokens really used, micros really used; -1 = as they were reserved
local function settle(operation)
  local lease = KEYS[named - operation[1]]
  local packed = call('GET', lease)
  answered = answered + 1
  answers[answered] = 0
  if not packed then return end
  call('DEL', lease)
  local record = cmsgpack.unpack(packed)
  if record[1] <= now then return end
  for i = 2, #record, 6 do
    local kind, key, at, reserved, window, slot_ms =
      record[i], record[i + 1], record[i + 2], record[i + 3], record[i + 4], record[i + 5]
    local used = kind == TOKENS and operation[2] or kind == MICROS and operation[3] or 0
    if used >= 0 and used ~= reserved then
      local count = open(key, window)
      -- nothing was reserved, so the count was not read then: its own clock may be ahead of the server's
      if reserved == 0 then at = min(count.now, at + count.skew) end
      correct(count, at, slot_ms, used - reserved)
    end
  end
  answers[answered] = 1
end

for _, operation in ipairs(operations) do
  if operation[1] < 0 then settle(operation) else decide(operation) end
end
for _, count in ipairs(touched) do save(count) end
return answers
`,
);
