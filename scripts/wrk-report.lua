-- Makes wrk end its output with one line of JSON: counts, errors and the histogram of latencies.

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"duration_us":%d,"errors":{"connect":%d,"read":%d,"write":%d,' ..
        '"timeout":%d,"status":%d},"latency_us":[',
        summary.requests, summary.duration, errors.connect, errors.read, errors.write,
        errors.timeout, errors.status))
    for index = 1, #latency do
        local value, count = latency(index)
        io.write(index > 1 and "," or "", string.format("[%d,%d]", value, count))
    end
    io.write("]}\n")
end
