-- Replays requests that were written beforehand, byte for byte; prints what wrk counted as one line of JSON.
-- arguments: a file of request heads one after another, and a file of line numbers into it: the order to send them in,
-- begun again at its end. With one request alone wrk keeps it as it is and calls no Lua while it measures.

function wrk.init(args)
   local heads, order = {}, {}
   for head in io.open(args[1], "rb"):read("*a"):gmatch("(.-\r\n\r\n)") do heads[#heads + 1] = head end
   for number in io.lines(args[2]) do order[#order + 1] = heads[tonumber(number)] end
   local next, count = 0, #order
   wrk.request = function() return order[1] end
   if count > 1 then
      function request()
         next = next % count + 1
         return order[next]
      end
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "microseconds": %d, "bytes": %d, "p50_us": %d, "p99_us": %d, "errors": ' ..
      '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
