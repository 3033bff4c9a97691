import { script } from '@portcullis/redis/script';

/**
 * Answers questions about what principals and tasks did, and writes down what they do, one after the other.
 *
 * KEYS  1 ZSET: principals, by when they were last heard of (ms) · 2 ZSET: 'PRINCIPAL TASK', likewise
 *       3 HASH: how many customers each of those keeps, and all together (field '')
 *       What one principal and one task keep lies in keys that begin as these do, in the same slot; they are named below.
 * ARGV  1 ms since epoch, or '' for the server's own clock
 *       2 what a tenant may keep: { principals, tasks, tasksPerPrincipal, customers }
 *       3 the questions: [principal, task or ''] for a past,
 *         [principal, task or '', tool or '', customers a task, customers an hour, labels, customers] to take
 * @returns for each past { the task's trail, the principal's }, a trail being names and ages in ms in turn, names with 'b:' for a
 *   tool that began and 'l:' for a label; for each taking 'taken', 'over_budget', or what is full
 */
export const ASK_HISTORY = script(
  'ask-history',
  `
local HOUR, IDLE, LIFE = 3600000, 1800000, 28800000
-- Longer than anything counts. What is over is removed, and its room given back, by whoever comes next; this is for a tenant
-- to which nobody comes any more.
local KEPT = 32400000
local PRINCIPALS, TASKS, CUSTOMERS = KEYS[1], KEYS[2], KEYS[3]
local ROOT = string.sub(PRINCIPALS, 1, -string.len(':principals') - 1)
local call = redis.call
local text = function(n) return string.format('%.0f', n) end

local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local bounds = cjson.decode(ARGV[2])

local trailOf = function(p) return ROOT .. ':' .. p end
local customersOf = function(p) return ROOT .. ':' .. p .. ':customers' end
local tasksOf = function(p) return ROOT .. ':' .. p .. ':tasks' end
local taskTrailOf = function(p, t) return ROOT .. ':' .. p .. ':task:' .. t end
local taskCustomersOf = function(p, t) return ROOT .. ':' .. p .. ':task:' .. t .. ':customers' end

local count = function(whose, more)
  if more == 0 then return end
  if call('HINCRBY', CUSTOMERS, whose, more) <= 0 then call('HDEL', CUSTOMERS, whose) end
  call('HINCRBY', CUSTOMERS, '', more)
end
local uncount = function(whose)
  count(whose, -(tonumber(call('HGET', CUSTOMERS, whose)) or 0))
end

local closeTask = function(p, t)
  call('DEL', taskTrailOf(p, t), taskCustomersOf(p, t))
  call('ZREM', tasksOf(p), t)
  call('ZREM', TASKS, p .. ' ' .. t)
  uncount(p .. ' ' .. t)
end
local forget = function(p)
  for _, t in ipairs(call('ZRANGE', tasksOf(p), 0, -1)) do closeTask(p, t) end
  call('DEL', trailOf(p), customersOf(p), tasksOf(p))
  call('ZREM', PRINCIPALS, p)
  uncount(p)
end
-- More than one run can add, and little enough for one.
local forgetIdle = function()
  for _, each in ipairs(call('ZRANGE', TASKS, '-inf', text(now - IDLE), 'BYSCORE', 'LIMIT', 0, 256)) do
    closeTask(string.match(each, '^(%S+) (%S+)$'))
  end
  for _, p in ipairs(call('ZRANGE', PRINCIPALS, '-inf', text(now - HOUR), 'BYSCORE', 'LIMIT', 0, 256)) do forget(p) end
end

-- Is there such a task, and does it last? Second: when it was last heard of.
local isOpen = function(p, t)
  local times = call('HMGET', taskTrailOf(p, t), 'started', 'last')
  local started, last = tonumber(times[1]), tonumber(times[2])
  return started ~= nil and now < last + IDLE and now < started + LIFE, last
end
local hear = function(p, t)
  call('ZADD', PRINCIPALS, 'GT', text(now), p)
  for _, key in ipairs({ PRINCIPALS, TASKS, CUSTOMERS, trailOf(p), customersOf(p), tasksOf(p) }) do
    call('PEXPIRE', key, KEPT)
  end
  if t == '' then return end
  call('ZADD', TASKS, 'GT', text(now), p .. ' ' .. t)
  call('ZADD', tasksOf(p), 'GT', text(now), t)
  call('HSET', taskTrailOf(p, t), 'last', text(now))
  for _, key in ipairs({ TASKS, tasksOf(p), taskTrailOf(p, t), taskCustomersOf(p, t) }) do call('PEXPIRE', key, KEPT) end
end

local trail = function(key, after)
  local names = {}
  local fields = call('HGETALL', key)
  for n = 1, #fields, 2 do
    local at = tonumber(fields[n + 1])
    if string.sub(fields[n], 2, 2) == ':' and at > after then
      names[#names + 1] = fields[n]
      names[#names + 1] = math.max(0, now - at)
    end
  end
  return names
end

local past = function(p, t)
  local principal = trail(trailOf(p), now - HOUR)
  if t == '' then return { {}, principal } end
  local open, last = isOpen(p, t)
  if not open then return { {}, principal } end
  -- so often is enough, and most questions write nothing
  if now - last >= 1000 then hear(p, t) end
  return { trail(taskTrailOf(p, t), -1), principal }
end

local take = function(p, t, tool, perTask, perHour, labels, customers)
  local last = tonumber(call('ZSCORE', PRINCIPALS, p))
  if last and now >= last + HOUR then
    forget(p)
    last = nil
  end
  if t ~= '' and not isOpen(p, t) then closeTask(p, t) end
  for _, idle in ipairs(call('ZRANGE', tasksOf(p), '-inf', text(now - IDLE), 'BYSCORE', 'LIMIT', 0, 256)) do
    closeTask(p, idle)
  end
  count(p, -call('ZREMRANGEBYSCORE', customersOf(p), '-inf', text(now - HOUR)))

  local newInHour, newInTask = 0, 0
  for _, customer in ipairs(customers) do
    if not call('ZSCORE', customersOf(p), customer) then newInHour = newInHour + 1 end
    if t ~= '' and call('SISMEMBER', taskCustomersOf(p, t), customer) == 0 then newInTask = newInTask + 1 end
  end
  if newInHour > 0 and call('ZCARD', customersOf(p)) + newInHour > perHour then return 'over_budget' end
  if newInTask > 0 and call('SCARD', taskCustomersOf(p, t)) + newInTask > perTask then return 'over_budget' end

  local opensTask = t ~= '' and call('EXISTS', taskTrailOf(p, t)) == 0
  if opensTask then
    if call('ZCARD', tasksOf(p)) >= bounds.tasksPerPrincipal then return 'tasks of one principal' end
    if call('ZCARD', TASKS) >= bounds.tasks then return 'tasks' end
  end
  if not last and call('ZCARD', PRINCIPALS) >= bounds.principals then return 'principals' end
  local more = newInHour + newInTask
  if more > 0 and (tonumber(call('HGET', CUSTOMERS, '')) or 0) + more > bounds.customers then return 'customers' end

  local trails = { trailOf(p) }
  if opensTask then call('HSET', taskTrailOf(p, t), 'started', text(now), 'last', text(now)) end
  if t ~= '' then trails[2] = taskTrailOf(p, t) end
  for _, key in ipairs(trails) do
    if tool ~= '' then call('HSET', key, 'b:' .. tool, text(now)) end
    for _, label in ipairs(labels) do call('HSET', key, 'l:' .. label, text(now)) end
  end
  for _, customer in ipairs(customers) do
    call('ZADD', customersOf(p), text(now), customer)
    if t ~= '' then call('SADD', taskCustomersOf(p, t), customer) end
  end
  count(p, newInHour)
  if t ~= '' then count(p .. ' ' .. t, newInTask) end
  hear(p, t)
  return 'taken'
end

local answers, swept = {}, false
for n, question in ipairs(cjson.decode(ARGV[3])) do
  if #question == 2 then answers[n] = past(question[1], question[2])
  else
    if not swept then forgetIdle() end
    swept = true
    answers[n] = take(unpack(question))
  end
end
return answers
`,
);
