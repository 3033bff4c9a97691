-- Sends the requests of a file in turn, and says as JSON what came of it. The file: lines `LENGTH\n` each before its request.
local requests, at = {}, 0

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  at = tonumber(args[2])
  while true do
    local length = file:read('*l')
    if length == nil then break end
    requests[#requests + 1] = file:read(tonumber(length))
  end
  file:close()
end

function request()
  at = at + 1
  return requests[(at - 1) % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"calls":%d,"micros":%d,"p50":%f,"p99":%f,"wrong":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout
  ))
end
