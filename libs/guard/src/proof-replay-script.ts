import { script } from '@portcullis/redis/script';

/**
 * Takes the ids of proofs, in one step with looking whether they were taken.
 *
 * KEYS  1 HASH: how many ids of this tenant are kept, by the minute in which the last of them can be forgotten
 *       2… ZSET for each question: the ids of its principal, by when they can be forgotten (ms)
 * ARGV  1 ms since epoch, or '' for the server's own clock · 2 the runs of the server that the nonces were made for
 *       3 ids of one principal at most · 4 ids of the tenant at most · then for each question: id, ms to keep it
 * @returns for each question one of USES, as its index
 */
export const USE_PROOFS = script(
  'use-proofs',
  `
local FIRST, AGAIN, CROWDED, FULL, MINUTE = 0, 1, 2, 3, 60000
local totals, answers = KEYS[1], {}

-- What was kept may be lost with another run of the server, so what was proven before it is taken for used.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not string.find(ARGV[2], run, 1, true) then
  for n = 2, #KEYS do answers[n - 1] = AGAIN end
  return answers
end

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local perPrincipal, inAll = tonumber(ARGV[3]), tonumber(ARGV[4])
local number = function(n) return string.format('%.0f', n) end

local kept = 0
local minutes = redis.call('HGETALL', totals)
for n = 1, #minutes, 2 do
  if tonumber(minutes[n]) * MINUTE <= now then redis.call('HDEL', totals, minutes[n])
  else kept = kept + tonumber(minutes[n + 1]) end
end

local lives = function(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, number(ms)) end
end

for n = 2, #KEYS do
  local own, id, keepMs = KEYS[n], ARGV[2 * n + 1], tonumber(ARGV[2 * n + 2])
  redis.call('ZREMRANGEBYSCORE', own, '-inf', number(now))
  if redis.call('ZSCORE', own, id) then answers[n - 1] = AGAIN
  elseif redis.call('ZCARD', own) >= perPrincipal then answers[n - 1] = CROWDED
  elseif kept >= inAll then answers[n - 1] = FULL
  else
    redis.call('ZADD', own, number(now + keepMs), id)
    redis.call('HINCRBY', totals, number(math.ceil((now + keepMs) / MINUTE)), 1)
    lives(own, keepMs)
    lives(totals, keepMs + MINUTE)
    kept = kept + 1
    answers[n - 1] = FIRST
  end
end
return answers
`,
);
