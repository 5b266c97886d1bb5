-- For by_wrk.py: sends the requests of a file, one after another and round again, and prints what was counted as one line
-- of JSON. With one request alone wrk keeps it as it is, and calls no Lua while it measures.

function wrk.init(args)
   local heads = {}
   for head in io.open(args[1], "rb"):read("*a"):gmatch("(.-\r\n\r\n)") do heads[#heads + 1] = head end
   local next, count = 0, #heads
   wrk.request = function() return heads[1] end
   if count > 1 then
      function request()
         next = next % count + 1
         return heads[next]
      end
   end
end

function done(summary, latency, requests)
   local errors, counts = summary.errors, {}
   for index = 1, #latency do
      local microseconds, times = latency(index)
      counts[index] = string.format("[%d, %d]", microseconds, times)
   end
   io.write(string.format(
      '\n{"requests": %d, "microseconds": %d, "bytes": %d, "latencies": [%s], "errors": ' ..
      '{"cannot connect": %d, "cannot read": %d, "cannot write": %d, "status from 400 on": %d, "timeout": %d}}\n',
      summary.requests, summary.duration, summary.bytes, table.concat(counts, ", "),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
