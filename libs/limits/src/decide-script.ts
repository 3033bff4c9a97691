import { script } from '@portcullis/redis/script';

/**
 * Decides, settles and releases all that one tenant was asked in one turn, as one step: every draw of a question is asked
 * before any is taken. Same arithmetic as window.ts, event for event; `turn.ts` writes what it reads and reads what it
 * answers.
 *
 * A count is one string, a ring of slots that is read whole and written in place, so that a decision writes some 60 bytes
 * however long the window is: header, then `time of the last charge, amount` of each slot. It doubles as it needs to, to
 * at most 512 slots; beyond that charges share the newest slot, which makes them leave late, never early. A lease says in a
 * key of its own what it reserved and where.
 *
 * Only KEYS that the caller can know are declared; a settlement also touches the counts that its lease names. They have
 * the same hash tag, hence the same slot.
 */
export const DECIDE = script(
  'limits',
  `
local HEADER, SLOT, FIRST, MOST = 38, 16, 8, 512
local COUNTED, TOKENS, MICROS = 0, 1, 2
local call, pack, unpack, floor, ceil, max, min =
  redis.call, struct.pack, struct.unpack, math.floor, math.ceil, math.max, math.min

-- ARGV: the time in ms for tests that turn the clock, else ''; ms that a lease lives; the operations
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + floor(time[2] / 1000)
end
local lease_ms = tonumber(ARGV[2])
local operations = cjson.decode(ARGV[3])
local answers = { now }
local function answer(number) answers[#answers + 1] = number end

-- Each count is read once and written once, however many operations touch it.
local counts, touched = {}, {}

local function fresh(count)
  count.total, count.read, count.skew, count.kept = 0, now, 0, 0
  count.head, count.size, count.room = 0, 0, FIRST
  count.rewrite = true
end

local function touch(count, window)
  if not count.touched then
    count.touched = true
    touched[#touched + 1] = count
  end
  count.window = window
end

local function open(key, window)
  local count = counts[key]
  if count then return count end
  count = { key = key, at = {}, amount = {}, dirty = {} }
  counts[key] = count
  count.raw = call('GET', key)
  if count.raw then
    count.total, count.read, count.skew, count.kept, count.head, count.size, count.room =
      unpack('<ddddHHH', count.raw)
    -- A clock that was set back stands still for that step and goes on from there.
    if now < count.read then
      count.skew = count.skew + count.read - now
      touch(count, window)
    end
  else
    fresh(count)
  end
  count.now = now + count.skew
  return count
end

-- The slot that is the nth oldest, from 0: its place, the time of its last charge, its amount.
local function slot(count, nth)
  local place = (count.head + nth) % count.room
  local at = count.at[place]
  if not at then
    at, count.amount[place] = unpack('<dd', count.raw, HEADER + place * SLOT + 1)
    count.at[place] = at
  end
  return place, at, count.amount[place]
end

local function set(count, place, at, amount)
  count.at[place], count.amount[place], count.dirty[place] = at, amount, true
end

-- Slots whose last charge is a window old count no more; each is stepped over once.
local function expire(count, window)
  if count.size == 0 then return end
  local before = count.now - window
  local _, newest = slot(count, count.size - 1)
  if newest <= before then
    count.total, count.size = 0, 0
    return touch(count, window)
  end
  local _, at, amount = slot(count, 0)
  while at <= before do
    count.total = count.total - amount
    count.head = (count.head + 1) % count.room
    count.size = count.size - 1
    touch(count, window)
    _, at, amount = slot(count, 0)
  end
end

-- Ms until the cost fits: 0 = it does, -1 = it never will.
local function wait(count, limit, window, cost)
  if cost == 0 then return 0 end
  if cost > limit then return -1 end
  local excess, last, nth = count.total + cost - limit, nil, 0
  while excess > 0 do
    local _, at, amount = slot(count, nth)
    excess, last, nth = excess - amount, at, nth + 1
  end
  return last and ceil(last + window - count.now) or 0
end

local function grow(count)
  local at, amount = {}, {}
  for nth = 0, count.size - 1 do
    local _, when, what = slot(count, nth)
    at[nth], amount[nth] = when, what
  end
  count.at, count.amount, count.head = at, amount, 0
  count.room = min(MOST, count.room * 2)
  count.rewrite = true
end

local function charge(count, at, slot_ms, cost)
  if count.size > 0 then
    local place, newest, amount = slot(count, count.size - 1)
    if floor(newest / slot_ms) == floor(at / slot_ms) or count.size == MOST then
      set(count, place, max(at, newest), amount + cost)
      count.total = count.total + cost
      return
    end
    if count.size == count.room then grow(count) end
  end
  set(count, (count.head + count.size) % count.room, at, cost)
  count.size = count.size + 1
  count.total = count.total + cost
end

local function insert(count, nth, at, amount)
  if count.size == count.room then grow(count) end
  for newer = count.size, nth + 1, -1 do
    local _, when, what = slot(count, newer - 1)
    set(count, (count.head + newer) % count.room, when, what)
  end
  set(count, (count.head + nth) % count.room, at, amount)
  count.size = count.size + 1
end

-- Closes the gap from the side that is nearer: most leases end in the order they began.
local function remove(count, nth)
  if nth < count.size / 2 then
    for newer = nth, 1, -1 do
      local _, when, what = slot(count, newer - 1)
      set(count, (count.head + newer) % count.room, when, what)
    end
    count.head = (count.head + 1) % count.room
  else
    for older = nth, count.size - 2 do
      local _, when, what = slot(count, older + 1)
      set(count, (count.head + older) % count.room, when, what)
    end
  end
  count.size = count.size - 1
end

-- What was reserved at that time was really so much more (or less). No slot is left below nothing.
local function correct(count, at, window, slot_ms, more)
  expire(count, window)
  touch(count, window)
  local index, nth = floor(at / slot_ms), count.size
  while nth > 0 do
    local _, newer = slot(count, nth - 1)
    if floor(newer / slot_ms) < index then break end
    nth = nth - 1
  end
  if nth < count.size then
    local place, when, amount = slot(count, nth)
    if floor(when / slot_ms) == index then
      local left = max(0, amount + more)
      count.total = count.total + left - amount
      if left > 0 then set(count, place, max(at, when), left) else remove(count, nth) end
      return
    end
  end
  if more < 0 or at + window <= count.now then return end
  if count.size < MOST then
    insert(count, nth, at, more)
    count.total = count.total + more
  else
    charge(count, count.now, slot_ms, more)
  end
end

local function save(count)
  if count.size == 0 then return call('DEL', count.key) end
  local ttl = 0
  if count.kept < count.now + count.window then
    ttl = ceil(count.window * 1.25)
    count.kept = count.now + ttl
  end
  local function header(head)
    return pack('<ddddHHH', count.total, now, count.skew, count.kept, head, count.size, count.room)
  end
  if count.rewrite then
    local parts = { header(0) }
    for nth = 0, count.size - 1 do
      local _, at, amount = slot(count, nth)
      parts[nth + 2] = pack('<dd', at, amount)
    end
    call('SET', count.key, table.concat(parts), 'PX', max(ttl, ceil(count.kept - count.now)))
    return
  end
  call('SETRANGE', count.key, 0, header(count.head))
  for place in pairs(count.dirty) do
    call('SETRANGE', count.key, HEADER + place * SLOT, pack('<dd', count.at[place], count.amount[place]))
  end
  if ttl > 0 then call('PEXPIRE', count.key, ttl) end
end

-- lease (0 = none is wanted), then for each draw: key, limit, window, slot, cost, kind
local function decide(operation)
  local refused, last = false, #operation
  for i = 2, last, 6 do
    local key, limit, window, cost = KEYS[operation[i]], operation[i + 1], operation[i + 2], operation[i + 4]
    local used, retry, reset = 0, 0, 0
    if cost > 0 then
      local count = open(key, window)
      expire(count, window)
      used, retry = count.total, wait(count, limit, window, cost)
      if count.size > 0 then
        local _, newest = slot(count, count.size - 1)
        reset = ceil(newest + window - count.now)
      end
    end
    if retry ~= 0 then refused = true end
    answer(max(0, limit - used))
    answer(retry)
    answer(reset)
  end
  if refused then return end
  local lease = operation[1] > 0 and KEYS[operation[1]]
  local record = { now + lease_ms }
  for i = 2, last, 6 do
    local key, window, slot_ms, cost, kind =
      KEYS[operation[i]], operation[i + 2], operation[i + 3], operation[i + 4], operation[i + 5]
    local at = now
    if cost > 0 then
      local count = open(key, window)
      at = count.now
      charge(count, at, slot_ms, cost)
      touch(count, window)
    end
    if lease and kind ~= COUNTED then
      local n = #record
      record[n + 1], record[n + 2], record[n + 3] = kind, key, at
      record[n + 4], record[n + 5], record[n + 6] = cost, window, slot_ms
    end
  end
  if lease then call('SET', lease, cmsgpack.pack(record), 'PX', lease_ms) end
end

-- minus the lease, LLM tokens really used, micros really used; -1 = as they were reserved
local function settle(operation)
  local lease = KEYS[-operation[1]]
  local packed = call('GET', lease)
  if not packed then return answer(0) end
  call('DEL', lease)
  local record = cmsgpack.unpack(packed)
  if record[1] <= now then return answer(0) end
  for i = 2, #record, 6 do
    local kind, key, at, reserved, window, slot_ms =
      record[i], record[i + 1], record[i + 2], record[i + 3], record[i + 4], record[i + 5]
    local used = kind == TOKENS and operation[2] or kind == MICROS and operation[3] or 0
    if used >= 0 and used ~= reserved then
      local count = open(key, window)
      -- nothing was reserved, so the count was not read then: its own clock may be ahead of the server's
      if reserved == 0 then at = min(count.now, at + count.skew) end
      correct(count, at, window, slot_ms, used - reserved)
    end
  end
  answer(1)
end

for _, operation in ipairs(operations) do
  if operation[1] < 0 then settle(operation) else decide(operation) end
end
for _, count in ipairs(touched) do save(count) end
return answers
`,
);
